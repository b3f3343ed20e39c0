/** The annotation page: opens a project and connects the parts of the page. */

import { Api } from "../api.js";
import { loadProject } from "../doccano.js";
import { logIn } from "../login.js";
import { showNotice } from "../notices.js";
import { AnnotationPage } from "./page.js";

const ADDRESS = /^\/orbat\/annotate\/(\d+)(?:\/(\d+))?\/?$/;

async function start() {
  const [, project, number] = ADDRESS.exec(location.pathname) ?? [];
  if (!project) {
    showNotice("address", "This address names no project. Use the link that you were given.", {
      kind: "error",
    });
    return;
  }
  const api = new Api();
  const loaded = await loadWithLogin(api, Number(project));
  if (loaded) {
    const page = new AnnotationPage(api, loaded);
    await page.open(number ? Number(number) : null);
  }
}

/** Read a project; ask for a login as often as needed. Returns null if it cannot be read. */
async function loadWithLogin(api, id) {
  for (;;) {
    try {
      return await loadProject(api, id);
    } catch (error) {
      if (error.kind === "login") {
        await logIn(api, { reason: "Log in to annotate." });
      } else {
        return explain(error);
      }
    }
  }
}

function explain(error) {
  const texts = {
    missing: "This project was deleted, or the link is wrong. Ask the lead of the session.",
    refused: "Your account has no access to this project. Ask the lead of the session.",
  };
  showNotice("project", texts[error.kind] ?? `${error.message} Load the page again later.`, {
    kind: "error",
    actions: [{ label: "Load again", run: () => location.reload() }],
  });
  return null;
}

start();
