/**
 * A panel beside the text. Several panels share one element, of which one is open at a time.
 *
 * The button that opens a panel names it in `aria-controls`, so that the panel can tell it whether
 * it is open, and show a number in its `.count`.
 */

import { button, create } from "../elements.js";

export class Panel {
  #container;
  #section;
  #before = null;

  /**
   * @param {HTMLElement} container the element that all panels share.
   * @param {string} id the id of the panel.
   * @param {string} title
   */
  constructor(container, id, title) {
    this.#container = container;
    this.body = create("div", { class: "panel-body" });
    const close = button("×", () => this.close(), {
      class: "close",
      "aria-label": `Close ${title.toLowerCase()}`,
    });
    this.head = create("div", { class: "panel-head" }, create("h2", {}, title), close);
    this.#section = create("section", { id, "aria-label": title, hidden: true }, this.head, this.body);
    this.#section.panel = this;
    this.#section.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.close();
      }
    });
    container.append(this.#section);
  }

  get isOpen() {
    return !this.#section.hidden;
  }

  get hasFocus() {
    return this.isOpen && this.#section.contains(document.activeElement);
  }

  /** Show the panel in place of another one. The focus stays where it is. */
  open() {
    if (this.isOpen) {
      return;
    }
    for (const section of this.#container.children) {
      section.panel?.close();
    }
    this.#before = document.activeElement;
    this.#show(true);
  }

  /** Hide the panel; a focus inside it returns to where it was when the panel opened. */
  close() {
    const hadFocus = this.#section.contains(document.activeElement);
    this.#show(false);
    if (hadFocus) {
      const target = this.#before?.isConnected && this.#before !== document.body ? this.#before : null;
      (target ?? document.getElementById("text"))?.focus({ preventScroll: true });
    }
  }

  /** Show a number at the button of the panel; 0 removes it. */
  showCount(count) {
    for (const opener of this.#openers()) {
      const place = opener.querySelector(".count");
      if (place) {
        place.textContent = count ? String(count) : "";
      }
    }
  }

  #show(isShown) {
    this.#section.hidden = !isShown;
    this.#container.hidden = !isShown;
    for (const opener of this.#openers()) {
      opener.setAttribute("aria-expanded", String(isShown));
    }
  }

  #openers() {
    return document.querySelectorAll(`[aria-controls="${this.#section.id}"]`);
  }
}
