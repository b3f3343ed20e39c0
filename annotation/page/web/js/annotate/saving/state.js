/** Tells the annotator how saving goes, and asks where it cannot go on. */

import { askChoice } from "../../dialogs.js";
import { clearNotice, showNotice } from "../../notices.js";

const STATES = {
  saved: "Saved",
  saving: "Saving…",
  offline: "Not saved yet: your work is kept in this browser",
};

/**
 * Show a state of the {@link Saver}.
 *
 * @param state "saved", "saving" or "offline".
 * @param isKept whether the browser keeps unsaved work when the page is closed.
 */
export function showState(state, isKept) {
  const isInDanger = state === "offline" && !isKept;
  document.body.dataset.state = state;
  document.getElementById("save-state").textContent = isInDanger
    ? "Not saved: keep this page open until it is saved"
    : STATES[state];
}

/**
 * Ask whether the spans of the page or those on the server stay: "mine" or "theirs".
 *
 * @param name how messages name the article.
 */
export function chooseVersion(name) {
  return askChoice({
    title: `${name} was changed elsewhere`,
    text: "Its spans on the server are not those that this page started from.",
    choices: [
      { value: "mine", label: "Save the spans of this page" },
      { value: "theirs", label: "Take the spans on the server" },
    ],
  });
}

/** Say why the work on an article cannot be saved. */
export function showBlocked(id, message, { retry, discard }) {
  showNotice(`blocked-${id}`, message, {
    kind: "error",
    actions: [
      { label: "Try again", run: retry },
      { label: "Discard my changes", run: discard },
    ],
  });
}

/** Remove what {@link showBlocked} said. */
export function clearBlocked(id) {
  clearNotice(`blocked-${id}`);
}
