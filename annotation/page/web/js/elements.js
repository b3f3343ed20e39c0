/** Building of HTML elements from text, never from HTML. */

/**
 * Create an element.
 *
 * Attributes that are true are set without a value; those that are false, null or undefined are
 * left out. Functions become event listeners: `{click: run}`. Children are nodes, strings or
 * arrays of them.
 */
export function create(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(key, value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  // Not spread: an array may be longer than a list of arguments.
  for (const child of children.flat()) {
    element.append(child);
  }
  return element;
}

/** Create a button that runs a function. */
export function button(label, run, attributes = {}) {
  return create("button", { type: "button", click: run, ...attributes }, label);
}
