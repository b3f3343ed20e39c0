/** The annotation page: opens a project and connects the parts of the page. */

import { loadProject } from "../doccano.js";
import { startPage } from "../start.js";
import { AnnotationPage } from "./page.js";

startPage({
  name: "annotate",
  load: loadProject,
  open: (api, project, number) => new AnnotationPage(api, project).open(number),
  texts: {
    login: "Log in to annotate.",
    missing: "This project was deleted, or the link is wrong. Ask the lead of the session.",
    refused: "Your account has no access to this project. Ask the lead of the session.",
  },
});
