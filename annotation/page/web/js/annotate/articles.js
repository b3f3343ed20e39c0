/** The articles of a project: their order, and which of them are confirmed. */

import { articleAt, firstOpenArticle, listArticles, readArticle } from "../doccano.js";
import { Words } from "./words.js";

/**
 * The list of a project's articles. It is read in the background, because it contains the texts;
 * the first article is shown before that.
 */
export class Articles {
  #api;
  #project;
  #entries = [];
  #reading = null;

  constructor(api, project) {
    this.#api = api;
    this.#project = project;
  }

  get count() {
    return this.#entries.length;
  }

  get confirmedCount() {
    return this.#entries.filter((entry) => entry.isConfirmed).length;
  }

  /** The number of words in articles that are not confirmed. */
  get openWords() {
    const open = this.#entries.filter((entry) => !entry.isConfirmed);
    return open.reduce((sum, entry) => sum + entry.words, 0);
  }

  /** Read the list again; resolves when it is complete. */
  refresh() {
    this.#reading = listArticles(this.#api, this.#project).then((articles) => {
      const known = new Map(this.#entries.map((entry) => [entry.id, entry]));
      this.#entries = articles.map(({ id, text, isConfirmed }) => ({
        id,
        isConfirmed: known.get(id)?.isPending ? known.get(id).isConfirmed : isConfirmed,
        isPending: known.get(id)?.isPending ?? false,
        words: known.get(id)?.words ?? new Words(text).count,
      }));
    });
    return this.#reading;
  }

  /** Return the position of an article, counted from 1; 0 while it is not known. */
  numberOf(id) {
    return this.#entries.findIndex((entry) => entry.id === id) + 1;
  }

  /** Remember what the annotator decided; `isPending` until the server has it. */
  setConfirmed(id, isConfirmed, isPending) {
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (entry) {
      Object.assign(entry, { isConfirmed, isPending });
    }
  }

  /** Read the article at a position; null if there is none. */
  async at(number) {
    const entry = this.#entries[number - 1];
    return entry
      ? readArticle(this.#api, this.#project, entry.id)
      : articleAt(this.#api, this.#project, number);
  }

  /** Read the first open article; null if all are confirmed. */
  firstOpen() {
    return firstOpenArticle(this.#api, this.#project);
  }

  /** Read the next open article behind another one, then from the start; null if there is none. */
  async nextOpen(id) {
    await this.#reading;
    const number = this.numberOf(id);
    const order = [...this.#entries.slice(number), ...this.#entries.slice(0, number)];
    const next = order.find((entry) => !entry.isConfirmed);
    if (next) {
      return readArticle(this.#api, this.#project, next.id);
    }
    // Articles may have been added in the meantime.
    await this.refresh();
    const added = this.#entries.find((entry) => !entry.isConfirmed);
    return added ? readArticle(this.#api, this.#project, added.id) : null;
  }
}
