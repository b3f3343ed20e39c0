/** The adjudication page: opens a round and its conflicts. */

import { loadProject } from "../doccano.js";
import { startPage } from "../start.js";
import { readCategoryIds } from "./answers.js";
import { AdjudicationPage } from "./page.js";
import { loadQuestions } from "./questions.js";

startPage({
  name: "adjudicate",
  load: loadRound,
  open: (api, round, number) => new AdjudicationPage(api, round).open(number),
  texts: {
    login: "Log in to resolve conflicts.",
    missing: "These conflicts were deleted, or the link is wrong. Ask the lead of the project.",
    refused: "Your account has no access to these conflicts. Ask the lead of the project.",
  },
});

async function loadRound(api, id) {
  const project = await loadProject(api, id);
  const [categoryIds, round] = await Promise.all([
    readCategoryIds(api, id),
    loadQuestions(api, id),
  ]);
  return { project, categoryIds, ...round };
}
