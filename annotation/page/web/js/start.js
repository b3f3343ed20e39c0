/** How both pages begin: the address, the login, and what is said where nothing can be opened. */

import { Api } from "./api.js";
import { logIn } from "./login.js";
import { showNotice } from "./notices.js";

/**
 * Open what the address of the page names, after a login where one is needed.
 *
 * @param {object} page
 * @param page.name the page as its address names it: `/orbat/NAME/PROJECT` or
 *   `/orbat/NAME/PROJECT/NUMBER`.
 * @param page.load reads what the page needs: `load(api, project)`.
 * @param page.open shows it: `open(api, loaded, number)`, where `number` is null if the address has
 *   none.
 * @param page.texts sentences: `login` says why the login is needed, `missing` and `refused` why
 *   nothing can be read.
 */
export async function startPage({ name, load, open, texts }) {
  const address = new RegExp(`^/orbat/${name}/(\\d+)(?:/(\\d+))?/?$`);
  const [, project, number] = address.exec(location.pathname) ?? [];
  if (!project) {
    showNotice("address", "This address names no project. Use the link that you were given.", {
      kind: "error",
    });
    return;
  }
  const api = new Api();
  const loaded = await loadWithLogin(api, () => load(api, Number(project)), texts);
  if (loaded) {
    await open(api, loaded, number ? Number(number) : null);
  }
}

/** Load; ask for a login as often as needed. Returns null if it is not possible. */
async function loadWithLogin(api, load, texts) {
  for (;;) {
    try {
      return await load();
    } catch (error) {
      if (error.kind !== "login") {
        showNotice("project", texts[error.kind] ?? `${error.message} Load the page again later.`, {
          kind: "error",
          actions: [{ label: "Load again", run: () => location.reload() }],
        });
        return null;
      }
      await logIn(api, { reason: texts.login });
    }
  }
}
