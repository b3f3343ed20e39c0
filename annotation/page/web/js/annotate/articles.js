/** The articles of a project: their order, and which of them are confirmed. */

import { articleAt, firstOpenArticle, listArticles, readArticle } from "../doccano.js";
import { Words } from "./editing/words.js";

/**
 * The list of a project's articles. It is read in the background, because it contains the texts;
 * the first article is shown before that.
 */
export class Articles {
  #api;
  #project;
  #entries = [];
  /** Whether the annotator confirmed an article at this page, by its id. */
  #decisions = new Map();
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

  /** Read the list, unless it was read; resolves when it is complete. */
  ready() {
    return this.#reading ?? this.refresh();
  }

  /** Read the list again; resolves when it is complete. */
  refresh() {
    this.#reading = this.#readList().catch((error) => {
      this.#reading = null;
      throw error;
    });
    return this.#reading;
  }

  async #readList() {
    const articles = await listArticles(this.#api, this.#project);
    const words = new Map(this.#entries.map((entry) => [entry.id, entry.words]));
    this.#entries = articles.map(({ id, text, isConfirmed }) => ({
      id,
      isConfirmed: this.#decisions.get(id) ?? isConfirmed,
      words: words.get(id) ?? new Words(text).count,
    }));
  }

  /** Return the position of an article, counted from 1; 0 while it is not known. */
  numberOf(id) {
    return this.#entries.findIndex((entry) => entry.id === id) + 1;
  }

  /** Remember what the annotator decided, which may not be on the server yet. */
  setConfirmed(id, isConfirmed) {
    this.#decisions.set(id, isConfirmed);
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (entry) {
      entry.isConfirmed = isConfirmed;
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

  /** Return the id of the next open article behind another one, then from the start; or null. */
  nextOpenId(id) {
    const number = this.numberOf(id);
    const order = [...this.#entries.slice(number), ...this.#entries.slice(0, number)];
    return order.find((entry) => !entry.isConfirmed)?.id ?? null;
  }

  /** Return {@link nextOpenId}; if there is none, look for articles that were added. */
  async nextOpen(id) {
    await this.ready();
    if (this.nextOpenId(id) === null) {
      await this.refresh();
    }
    return this.nextOpenId(id);
  }
}
