/** The map of all keys. */

import { openDialog } from "../dialogs.js";
import { create } from "../elements.js";

const MODIFIERS = ["Ctrl", "Alt", "Shift"];

/**
 * Show all keys in a dialog.
 *
 * @param {object} content
 * @param {{name: string, key: string|null, color: string}[]} content.labels
 * @param {{title: string, entries: {keys: string[], action: string}[]}[]} content.keys
 * @returns {HTMLDialogElement}
 */
export function showKeyMap({ labels, keys }) {
  const groups = keys.map(({ title, entries }) =>
    group(title, entries.map(({ keys: names, action }) => row(names, action))),
  );
  const withKey = labels.filter((label) => label.key !== null);
  if (withKey.length) {
    groups.unshift(group("Labels", withKey.map(labelRow)));
  }
  const map = create("div", { class: "key-map", tabindex: 0 }, ...groups);
  const dialog = openDialog("Keys", map);
  dialog.classList.add("wide");
  return dialog;
}

function group(title, rows) {
  return create("section", {}, create("h3", {}, title), create("dl", {}, ...rows));
}

/** Return a row; keys behind Ctrl, Alt and Shift are pressed together, others one or the other. */
function row(names, action) {
  const keys = names.flatMap((name) => [
    create("kbd", {}, name),
    ...(MODIFIERS.includes(name) && name !== names.at(-1) ? ["+"] : []),
  ]);
  return create("div", {}, create("dt", {}, ...keys), create("dd", {}, action));
}

function labelRow(label) {
  const item = row([label.key], "");
  const name = create("span", { class: "label-name" }, label.name);
  name.style.setProperty("--label", label.color);
  item.lastElementChild.append(name);
  return item;
}
