/** The adjudication page: opens a round and its conflicts. */

import { Api } from "../api.js";
import { loadProject } from "../doccano.js";
import { logIn } from "../login.js";
import { showNotice } from "../notices.js";
import { readCategoryIds } from "./answers.js";
import { AdjudicationPage } from "./page.js";
import { loadQuestions } from "./questions.js";

const ADDRESS = /^\/orbat\/adjudicate\/(\d+)(?:\/(\d+))?\/?$/;

async function start() {
  const [, project, number] = ADDRESS.exec(location.pathname) ?? [];
  if (!project) {
    showNotice("address", "This address names no project. Use the link that you were given.", {
      kind: "error",
    });
    return;
  }
  const api = new Api();
  const round = await loadWithLogin(api, Number(project));
  if (round) {
    new AdjudicationPage(api, round).open(number ? Number(number) : null);
  }
}

/** Read a round; ask for a login as often as needed. Returns null if it cannot be read. */
async function loadWithLogin(api, id) {
  for (;;) {
    try {
      const project = await loadProject(api, id);
      const [categoryIds, round] = await Promise.all([
        readCategoryIds(api, id),
        loadQuestions(api, id),
      ]);
      return { project, categoryIds, ...round };
    } catch (error) {
      if (error.kind !== "login") {
        return explain(error);
      }
      await logIn(api, { reason: "Log in to resolve conflicts." });
    }
  }
}

function explain(error) {
  const texts = {
    missing: "These conflicts were deleted, or the link is wrong. Ask the lead of the project.",
    refused: "Your account has no access to these conflicts. Ask the lead of the project.",
  };
  showNotice("project", texts[error.kind] ?? `${error.message} Load the page again later.`, {
    kind: "error",
    actions: [{ label: "Load again", run: () => location.reload() }],
  });
  return null;
}

start();
