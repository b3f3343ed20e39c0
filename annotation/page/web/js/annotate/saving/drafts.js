/** Unsaved work, kept in the browser's storage until the server has it. */

const PREFIX = "orbat-draft";

/** The unsaved work of one person in one project. */
export class Drafts {
  #prefix;

  constructor(user, project) {
    this.#prefix = `${PREFIX}/${user}/${project}/`;
  }

  /**
   * Keep the unsaved work on an article: `{text, stored, wanted, isConfirmed}`.
   *
   * @returns whether it was kept; false if the browser has no room or forbids it.
   */
  keep(article, draft) {
    try {
      localStorage.setItem(this.#prefix + article, JSON.stringify(draft));
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

  /** Return the unsaved work by article id, in the order of the ids. */
  all() {
    const drafts = new Map();
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.#prefix)) {
          drafts.set(Number(key.slice(this.#prefix.length)), JSON.parse(localStorage.getItem(key)));
        }
      }
    } catch {
      return new Map();
    }
    return new Map([...drafts].sort(([a], [b]) => a - b));
  }
}
