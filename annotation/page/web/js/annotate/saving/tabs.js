/** Tells whether an article is open in another tab or window of this browser. */

/** Announces the article that this tab shows, and listens to the other tabs. */
export class Tabs {
  #channel = new BroadcastChannel("orbat-annotate");
  #shown = null;
  #callbacks;

  /**
   * @param callbacks `onShared(key)`: another tab shows the same article; `onSaved(key)`: another
   *   tab has saved an article.
   */
  constructor(callbacks) {
    this.#callbacks = callbacks;
    this.#channel.addEventListener("message", ({ data }) => this.#receive(data));
  }

  /** Announce the article that is shown. */
  show(key) {
    this.#shown = key;
    this.#channel.postMessage({ kind: "shown", key });
  }

  /** Tell the other tabs that an article was saved. */
  saved(key) {
    this.#channel.postMessage({ kind: "saved", key });
  }

  #receive({ kind, key }) {
    if (kind === "saved") {
      this.#callbacks.onSaved(key);
    } else if (key === this.#shown) {
      this.#callbacks.onShared(key);
      if (kind === "shown") {
        this.#channel.postMessage({ kind: "also shown", key });
      }
    }
  }
}
