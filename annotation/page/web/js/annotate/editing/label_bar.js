/** The bar with the labels, and the actions on the selected span. */

/**
 * Create the buttons of the labels.
 *
 * @param bar the element of the bar.
 * @param labels the labels.
 * @param choose called with the name of a label.
 * @returns a function that shows which label is chosen; null for none.
 */
export function createLabelBar(bar, labels, choose) {
  const buttons = labels.map((label) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "label";
    button.dataset.name = label.name;
    button.style.setProperty("--label", label.color);
    button.append(label.name);
    if (label.key) {
      const key = document.createElement("kbd");
      key.textContent = label.key;
      button.append(" ", key);
    }
    keepSelection(button);
    button.addEventListener("click", () => choose(label.name));
    return button;
  });
  bar.append(...buttons);
  const show = (name) => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.name === name));
    }
  };
  show(null);
  return show;
}

/** Keep the focus and the selection in the text when a button is pressed. */
export function keepSelection(button) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}
