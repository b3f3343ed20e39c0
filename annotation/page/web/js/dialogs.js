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
 * Ask for one of several choices. Without a default, no button has the focus at first, and Escape
 * does not close the dialog.
 *
 * @param {{title: string, text: string, choices: {value: *, label: string, isDefault?: boolean}[]}} question
 * @returns {Promise<*>} the value of the choice, or null if the dialog was closed without one.
 */
export function askChoice({ title, text, choices }) {
  return new Promise((resolve) => {
    let answer = null;
    const buttons = choices.map(({ value, label, isDefault }) =>
      button(
        label,
        () => {
          answer = value;
          dialog.close();
        },
        { class: isDefault ? "primary" : null, autofocus: Boolean(isDefault) },
      ),
    );
    const content = document.createDocumentFragment();
    content.append(...text.split("\n\n").map((part) => create("p", {}, part)));
    content.append(create("div", { class: "choices" }, ...buttons));
    const dialog = dialogOf(title, content);
    dialog.addEventListener("close", () => resolve(answer));
    if (choices.some(({ isDefault }) => isDefault)) {
      show(dialog);
    } else {
      dialog.setAttribute("closedby", "none");
      dialog.tabIndex = -1;
      show(dialog);
      dialog.focus();
    }
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

function show(dialog) {
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) {
      before.focus({ preventScroll: true });
    }
  });
  document.body.append(dialog);
  dialog.showModal();
}
