/** Dialogs: choices and windows with a close button. The browser keeps the focus inside them. */

import { button, create } from "./elements.js";

let lastNumber = 0;

/**
 * Show content in a dialog that Escape and a button close.
 *
 * The dialog is removed when it closes, and the focus returns to where it was.
 */
export function openDialog(title, content) {
  const dialog = dialogOf(title, content);
  const close = button("×", () => dialog.close(), { class: "close", "aria-label": "Close" });
  dialog.querySelector(".dialog-head").append(close);
  show(dialog);
  return dialog;
}

/**
 * Ask for one of several choices. The dialog stays until one is made.
 *
 * No button has the focus at first: the question may appear while keys are pressed for something
 * else.
 *
 * @param {{title: string, text: string, choices: {value: *, label: string}[]}} question
 * @returns {Promise<*>} the value of the choice.
 */
export async function askChoice({ title, text, choices }) {
  let choice = null;
  const buttons = choices.map((offered) =>
    button(offered.label, () => {
      choice = offered;
      dialog.close();
    }),
  );
  const content = document.createDocumentFragment();
  content.append(create("p", {}, text), create("div", { class: "choices" }, ...buttons));
  const dialog = dialogOf(title, content);
  dialog.tabIndex = -1;
  const isClosed = showUntil(dialog, () => choice !== null);
  dialog.focus();
  await isClosed;
  return choice.value;
}

/** Show a dialog that does not close before `isDone()` is true; resolves when it is closed. */
export function showUntil(dialog, isDone) {
  dialog.setAttribute("closedby", "none");
  return new Promise((resolve) => {
    show(dialog, () => {
      // Browsers that do not know the attribute close a dialog at the second Escape.
      if (!isDone()) {
        dialog.showModal();
        return false;
      }
      resolve();
      return true;
    });
  });
}

/** Create a dialog with a heading; it is not shown yet. */
export function dialogOf(title, content) {
  lastNumber += 1;
  const id = `dialog-title-${lastNumber}`;
  const heading = create("h2", { id }, title);
  return create(
    "dialog",
    { "aria-labelledby": id },
    create("div", { class: "dialog-head" }, heading),
    create("div", { class: "dialog-body" }, content),
  );
}

function show(dialog, mayClose = () => true) {
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    if (mayClose()) {
      dialog.remove();
      if (before?.isConnected) {
        before.focus({ preventScroll: true });
      }
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}
