/** The bar with the labels, and the actions on the selected span. */

import { button, create } from "../../elements.js";

/**
 * Create the buttons of the labels.
 *
 * @param bar the element of the bar.
 * @param labels the labels.
 * @param choose called with the name of a label.
 * @returns a function that shows which label is chosen; null for none.
 */
export function createLabelBar(bar, labels, choose) {
  const buttons = labels.map(({ name, key, color }) => {
    const attributes = { class: "label", "data-name": name };
    const element = button(name, () => choose(name), attributes);
    element.style.setProperty("--label", color);
    if (key) {
      element.append(" ", create("kbd", {}, key));
    }
    keepSelection(element);
    return element;
  });
  bar.append(...buttons);
  const show = (name) => {
    for (const element of buttons) {
      element.setAttribute("aria-pressed", String(element.dataset.name === name));
    }
  };
  show(null);
  return show;
}

/** Keep the focus and the selection in the text when a button is pressed. */
export function keepSelection(button) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}
