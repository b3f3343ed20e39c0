/** Unsaved work, kept in the browser's storage until the server has it. */

import { alone, heldNames, hold } from "../../locks.js";
import { StoredValues } from "../../storage.js";

const PREFIX = "orbat-draft";
const TAB_PREFIX = "orbat/annotate/tab/";

/**
 * The unsaved work of one person in one project.
 *
 * A draft is `{text, stored, wanted, isConfirmed, pending, tab}`, where `tab` is a name that the
 * page which saves the work holds while it is open: meanwhile no other page may save it.
 */
export class Drafts {
  #drafts;
  #tab = `${TAB_PREFIX}${Math.random()}`;

  constructor(user, project) {
    this.#drafts = new StoredValues(`${PREFIX}/${user}/${project}/`);
    hold(this.#tab);
  }

  /** Whether the browser could not keep unsaved work, so that closing the page would lose it. */
  get wouldLoseWork() {
    return this.#drafts.wouldLose;
  }

  /** Keep the unsaved work on an article. */
  keep(article, draft) {
    this.#drafts.set(String(article), { ...draft, tab: this.#tab });
  }

  drop(article) {
    this.#drafts.remove(String(article));
  }

  /** Return the unsaved work on an article as it is now, or null. */
  get(article) {
    return this.#drafts.get(String(article));
  }

  /**
   * Find the articles with unsaved work.
   *
   * @returns `[article, isLive]` pairs in the order of the ids; `isLive` says whether the page that
   *   saves the work is open.
   */
  async found() {
    const live = await heldNames();
    const articles = this.#drafts.names().map(Number).sort((a, b) => a - b);
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
}
