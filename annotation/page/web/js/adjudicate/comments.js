/** The annotators' comments on an article. */

import { create } from "../elements.js";

const OPEN_UP_TO = 200;

export class Comments {
  #element;

  /** @param element a `<details>` with a `<summary>` and a list. */
  constructor(element) {
    this.#element = element;
  }

  /** Show the comments on an article; letters stand for the annotators unless names are shown. */
  show({ comments, annotators }, areNamesShown) {
    const authors = [...new Set([...annotators, ...comments.map((comment) => comment.by)])];
    const nameOf = (author) =>
      areNamesShown ? author : `Annotator ${String.fromCharCode(65 + (authors.indexOf(author) % 26))}`;
    const items = comments.map(({ by, text }) =>
      create("li", {}, create("strong", {}, `${nameOf(by)}: `), text),
    );
    const count = comments.length === 1 ? "1 comment" : `${comments.length} comments`;
    this.#element.querySelector("summary").textContent = `${count} on this article`;
    this.#element.querySelector("ul").replaceChildren(...items);
    this.#element.hidden = comments.length === 0;
    const length = comments.reduce((sum, comment) => sum + comment.text.length, 0);
    const isNarrow = window.matchMedia("(max-width: 40rem)").matches;
    this.#element.open = length <= OPEN_UP_TO && !isNarrow;
  }

  toggle() {
    this.#element.open = !this.#element.open;
  }
}
