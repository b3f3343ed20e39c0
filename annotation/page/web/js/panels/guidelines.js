/** The panel with the guidelines: a search, and the ruling for the label in hand. */

import { button, create } from "../elements.js";
import { renderMarkdown } from "../markdown.js";
import { Panel } from "./panel.js";
import { rulingFor } from "./ruling.js";
import { clearHits, markHits } from "./text_search.js";

export class GuidelinesPanel extends Panel {
  #search;
  #count;
  #steps;
  #ruling = create("section", { class: "ruling", "aria-live": "polite", hidden: true });
  #document = create("div", { class: "guidelines" });
  #label = null;
  #hits = [];
  #current = -1;

  /** @param {HTMLElement} element the element that all panels share. */
  constructor(element) {
    super(element, "guidelines-panel", "Guidelines");
    this.#search = create("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": "Search the guidelines",
      input: () => this.#find(),
      keydown: (event) => this.#onKey(event),
    });
    this.#count = create("span", { class: "hit-count", role: "status" });
    this.#steps = [
      button("‹", () => this.#step(-1), { "aria-label": "Previous hit", disabled: true }),
      button("›", () => this.#step(1), { "aria-label": "Next hit", disabled: true }),
    ];
    this.head.after(
      create("div", { class: "panel-search" }, this.#search, this.#count, ...this.#steps),
    );
    this.body.append(this.#ruling, this.#document);
  }

  focus() {
    this.focusSearch();
  }

  /** Open the panel with the cursor in the search box. */
  focusSearch() {
    this.open();
    this.#search.select();
    this.#search.focus();
  }

  /** Show other guidelines. */
  setGuidelines(markdown) {
    const isEmpty = markdown.trim() === "";
    this.#document.replaceChildren(
      isEmpty ? create("p", { class: "quiet" }, "This project has no guidelines.") : renderMarkdown(markdown),
    );
    this.#showRuling();
    this.#find();
  }

  /** Show the ruling for a label above the guidelines; null removes it. */
  showLabel(name) {
    if (name !== this.#label) {
      this.#label = name;
      this.#showRuling();
    }
  }

  #showRuling() {
    const label = this.#label;
    this.#ruling.hidden = label === null;
    if (label === null) {
      this.#ruling.replaceChildren();
      return;
    }
    clearHits(this.#document);
    const parts = rulingFor(this.#document, label);
    this.#ruling.replaceChildren(
      create("h3", { class: "ruling-title" }, `On ${label}`),
      ...(parts.length ? parts : [create("p", { class: "quiet" }, `The guidelines do not name ${label}.`)]),
    );
    this.body.scrollTop = 0;
    if (this.#search.value.trim()) {
      this.#find();
    }
  }

  #find() {
    this.#hits = markHits(this.#document, this.#search.value);
    this.#current = -1;
    for (const step of this.#steps) {
      step.disabled = this.#hits.length === 0;
    }
    if (this.#hits.length) {
      this.#step(1);
    } else {
      this.#count.textContent = this.#search.value.trim() ? "no hit" : "";
    }
  }

  #step(by) {
    const count = this.#hits.length;
    if (count === 0) {
      return;
    }
    this.#hits[this.#current]?.forEach((mark) => mark.classList.remove("current"));
    this.#current = (this.#current + by + count) % count;
    const hit = this.#hits[this.#current];
    hit.forEach((mark) => mark.classList.add("current"));
    this.#scrollTo(hit[0]);
    this.#count.textContent = `${this.#current + 1} of ${count}`;
  }

  /** Scroll the panel alone: the article stays where it is. */
  #scrollTo(mark) {
    const body = this.body;
    const offset = mark.getBoundingClientRect().top - body.getBoundingClientRect().top;
    body.scrollTop += offset - body.clientHeight / 3;
  }

  #onKey(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.#step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && this.#search.value) {
      event.preventDefault();
      event.stopPropagation();
      this.#search.value = "";
      this.#find();
    }
  }
}
