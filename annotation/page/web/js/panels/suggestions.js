/** The panel with the suggestions that nobody has touched, least certain first. */

import { isUncertain, percent } from "../confidence.js";
import { button, create } from "../elements.js";
import { Panel } from "./panel.js";

export class SuggestionsPanel extends Panel {
  #callbacks;
  #state = { open: [], rejected: [], canAsk: false };
  #shown = "";

  /**
   * @param {HTMLElement} element the element that all panels share.
   * @param {object} callbacks `select`, `accept`, `reject` and `restore` get a record;
   *   `acceptAll` and `askAgain` get nothing.
   */
  constructor(element, callbacks) {
    super(element, "suggestions-panel", "Suggestions");
    this.#callbacks = callbacks;
  }

  open() {
    super.open();
    this.#render();
  }

  /** Open the panel with the focus on the first suggestion. */
  focus() {
    this.open();
    (this.body.querySelector(".words") ?? this.head.querySelector("button")).focus();
  }

  /**
   * Show other suggestions.
   *
   * Records are `{key, text, label, color, score, start}`; `score` is null without a confidence.
   *
   * @param {{open: object[], rejected: object[], canAsk: boolean}} state `rejected` are those that
   *   the annotator deleted; `canAsk` says whether a model can be asked again.
   */
  update(state) {
    this.#state = { ...state, open: [...state.open].sort(byConfidence) };
    this.showCount(state.open.length);
    if (this.isOpen) {
      this.#render();
    }
  }

  #render() {
    const { open, rejected, canAsk } = this.#state;
    // Each step of the word cursor updates the panel; the list is drawn again only if it differs.
    const content = JSON.stringify([open.map(signature), rejected.map(signature), canAsk]);
    if (content !== this.#shown) {
      this.#shown = content;
      this.#draw();
    }
  }

  #draw() {
    const focus = this.#focusPlace();
    const { open, rejected, canAsk } = this.#state;
    const { accept, reject, restore, acceptAll, askAgain } = this.#callbacks;
    const buttons = [];
    if (open.length) {
      buttons.push(button(`Accept all ${open.length}`, () => acceptAll(), { class: "primary" }));
    }
    if (canAsk) {
      buttons.push(button("Ask the model again", () => askAgain()));
    }
    const content = [create("div", { class: "choices" }, ...buttons)];
    content.push(
      open.length
        ? this.#listOf("open", "Open suggestions", [
            ["✓", "Accept", accept],
            ["×", "Reject", reject],
          ])
        : create("p", { class: "quiet" }, "No open suggestion."),
    );
    if (rejected.length) {
      content.push(
        create("h3", {}, `Second look: ${rejected.length} rejected`),
        this.#listOf("rejected", "Rejected suggestions", [["Restore", "Restore", restore]]),
      );
    }
    this.body.replaceChildren(...content);
    this.#restoreFocus(focus);
  }

  /** Create one of the lists of the state, "open" or "rejected". */
  #listOf(kind, name, actions) {
    const items = this.#state[kind].map((record) => {
      // The record of the last update, which may be another object than the one drawn.
      const withRecord = (run) => () =>
        run(this.#state[kind].find(({ key }) => key === record.key));
      const item = create(
        "li",
        { class: kind, "data-key": record.key },
        button(record.text, withRecord(this.#callbacks.select), { class: "words", dir: "auto" }),
        create("span", { class: "label-name" }, record.label),
        create("span", { class: isUncertain(record.score) ? "score uncertain" : "score" }, percent(record.score)),
        ...actions.map(([sign, action, run]) =>
          button(sign, withRecord(run), { "aria-label": `${action} ${record.text}`, title: action }),
        ),
      );
      item.style.setProperty("--label", record.color);
      return item;
    });
    return create("ul", { class: "suggestions", "aria-label": name }, ...items);
  }

  /** Return where the focus is: which button of which item of which list. */
  #focusPlace() {
    const focused = document.activeElement;
    const item = focused?.closest?.(".suggestions > li");
    if (!item || !this.body.contains(item)) {
      return null;
    }
    return {
      list: item.parentElement.getAttribute("aria-label"),
      item: [...item.parentElement.children].indexOf(item),
      button: [...item.children].indexOf(focused),
    };
  }

  /** Put the focus on the same button of the item that is now at the same place. */
  #restoreFocus(place) {
    if (place === null) {
      return;
    }
    const list = this.body.querySelector(`ul[aria-label="${place.list}"]`);
    const item = list?.children[Math.min(place.item, list.children.length - 1)];
    const target = item?.children[place.button] ?? this.head.querySelector("button");
    target.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "nearest" });
  }
}

function signature({ key, text, label, score }) {
  return [key, text, label, score];
}

function byConfidence(a, b) {
  return (a.score ?? 2) - (b.score ?? 2) || a.start - b.start;
}
