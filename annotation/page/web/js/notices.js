/** Notices below the header, at most one of each id. */

import { button, create } from "./elements.js";

/**
 * Show a notice in place of the one with the same id.
 *
 * @param {string} id
 * @param {string} text
 * @param {{kind?: "info"|"warning"|"error", actions?: {label: string, run: () => void}[]}} options
 */
export function showNotice(id, text, { kind = "info", actions = [] } = {}) {
  const buttons = actions.map(({ label, run }) => button(label, run));
  const notice = create(
    "div",
    { class: "notice", "data-notice": id, "data-kind": kind },
    create("p", {}, text),
    ...buttons,
  );
  const shown = noticeOf(id);
  // The same words again would be read out again by screen readers.
  if (shown?.textContent === notice.textContent && actions.length === 0) {
    shown.dataset.kind = kind;
    return;
  }
  if (shown) {
    shown.replaceWith(notice);
  } else {
    document.getElementById("notices").append(notice);
  }
}

/** Remove the notice with an id, if it is shown. */
export function clearNotice(id) {
  noticeOf(id)?.remove();
}

function noticeOf(id) {
  return document.querySelector(`#notices > [data-notice="${CSS.escape(id)}"]`);
}
