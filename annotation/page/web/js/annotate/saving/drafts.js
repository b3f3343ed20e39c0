/** Unsaved work, kept in the browser's storage until the server has it. */

import { alone, heldNames, hold } from "../../locks.js";

const PREFIX = "orbat-draft";
const TAB_PREFIX = "orbat/annotate/tab/";

/**
 * The unsaved work of one person in one project.
 *
 * A draft is `{text, stored, wanted, isConfirmed, pending, tab}`, where `tab` is a name that the
 * page which saves the work holds while it is open: meanwhile no other page may save it.
 */
export class Drafts {
  #prefix;
  #tab = `${TAB_PREFIX}${Math.random()}`;

  constructor(user, project) {
    this.#prefix = `${PREFIX}/${user}/${project}/`;
    hold(this.#tab);
  }

  /**
   * Keep the unsaved work on an article.
   *
   * @returns whether it was kept; false if the browser has no room or forbids it.
   */
  keep(article, draft) {
    try {
      localStorage.setItem(this.#prefix + article, JSON.stringify({ ...draft, tab: this.#tab }));
      return true;
    } catch {
      return false;
    }
  }

  drop(article) {
    try {
      localStorage.removeItem(this.#prefix + article);
    } catch {
      // Without storage nothing was kept.
    }
  }

  /** Return the unsaved work on an article as it is now, or null. */
  get(article) {
    try {
      return JSON.parse(localStorage.getItem(this.#prefix + article));
    } catch {
      return null;
    }
  }

  /**
   * Find the articles with unsaved work.
   *
   * @returns `[article, isLive]` pairs in the order of the ids; `isLive` says whether the page that
   *   saves the work is open.
   */
  async found() {
    const live = await heldNames();
    const articles = this.#articles().sort((a, b) => a - b);
    return articles.map((article) => [article, live.has(this.get(article)?.tab)]);
  }

  /** Wait until the page that saves the work on an article is closed, or has saved it. */
  async whenClosed(article) {
    let tab;
    for (let draft = this.get(article); draft && draft.tab !== tab; draft = this.get(article)) {
      tab = draft.tab;
      await alone(tab, () => {});
    }
  }

  #articles() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
      return keys.map((key) => Number(key.slice(this.#prefix.length)));
    } catch {
      return [];
    }
  }
}
