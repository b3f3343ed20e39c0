/** Where the person is in a round, and which ways lead on. */

import { create } from "../elements.js";

/** Show the position of a question in the header, and enable the buttons that lead on or back. */
export function showPosition(round, question) {
  const { questions, articleCount, openCount, canUndo } = round;
  const index = questions.indexOf(question);
  // A narrow screen shows less.
  const wide = (text) => create("span", { class: "wide" }, text);
  document
    .getElementById("progress")
    .replaceChildren(
      wide("Conflict "),
      `${index + 1} of ${questions.length}`,
      wide(` · article ${question.article.index + 1} of ${articleCount}`),
      ` · ${openCount} open`,
    );
  const isDisabled = {
    previous: index === 0,
    next: index === questions.length - 1,
    "next-open": openCount === 0,
    undo: !canUndo,
  };
  for (const [id, value] of Object.entries(isDisabled)) {
    document.getElementById(id).disabled = value;
  }
}
