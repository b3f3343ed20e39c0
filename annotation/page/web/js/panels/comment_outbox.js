/**
 * Comments on their way to the server.
 *
 * A comment stays in the browser's storage until the server has it. After a failure it may have
 * arrived all the same: before it is sent again, the comments on the server are read.
 */

import { Backoff } from "../backoff.js";
import { alone } from "../locks.js";
import { StoredValues } from "../storage.js";

const PREFIX = "orbat:comment:";
const FIRST_RETRY_MS = 3_000;
const LAST_RETRY_MS = 60_000;

export class CommentOutbox {
  #onChange;
  #stored = new StoredValues(PREFIX);
  #sending = new Map();

  /** @param {(key: string) => void} onChange is called after each change of a comment's state. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Return the words that wait for an article: `{text, isSending, failure}`. */
  stateOf(key) {
    const stored = this.#stored.get(key);
    const sending = this.#sending.get(key);
    return {
      text: stored?.text ?? "",
      isSending: sending !== undefined,
      failure: sending?.failure ?? stored?.failure ?? "",
    };
  }

  /** Keep the words of a comment that is being written. */
  keepDraft(key, text) {
    if (text === "") {
      this.#stored.remove(key);
    } else {
      this.#stored.set(key, { text });
    }
  }

  /** Send the kept words; the promise ends when the server has them or refused them. */
  async send(key, { list, create }) {
    const stored = this.#stored.get(key);
    if (!stored?.text.trim() || this.#sending.has(key)) {
      return;
    }
    this.#stored.set(key, { ...stored, failure: "", isWaiting: true });
    const entry = { failure: "", backoff: new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS) };
    this.#sending.set(key, entry);
    this.#onChange(key);
    try {
      await this.#untilSent(key, entry, { list, create });
    } finally {
      this.#sending.delete(key);
      this.#onChange(key);
    }
  }

  /** Go on with a comment that was on its way when the page was closed. */
  resume(key, requests) {
    return this.#stored.get(key)?.isWaiting ? this.send(key, requests) : Promise.resolve();
  }

  /** Try at once what waits for its next turn. */
  sendAgain() {
    for (const entry of this.#sending.values()) {
      entry.backoff.end();
    }
  }

  async #untilSent(key, entry, requests) {
    for (;;) {
      try {
        await alone(PREFIX + key, () => this.#sendOnce(key, requests));
        return;
      } catch (error) {
        const mayPass = error.isTemporary || error.kind === "login";
        if (!mayPass) {
          const { text } = this.#stored.get(key);
          this.#stored.set(key, { text, failure: `Not sent: ${error.message}` });
          return;
        }
        entry.failure = `Not sent yet: ${error.message} It is tried again.`;
        this.#onChange(key);
        await entry.backoff.pause();
      }
    }
  }

  async #sendOnce(key, { list, create }) {
    const stored = this.#stored.get(key);
    if (!stored) {
      return;
    }
    const present = await list();
    if (stored.known) {
      const known = new Set(stored.known);
      if (present.some((comment) => !known.has(comment.id) && comment.text === stored.text.trim())) {
        this.#stored.remove(key);
        return;
      }
    } else {
      this.#stored.set(key, { ...stored, known: present.map((comment) => comment.id) });
    }
    await create(stored.text.trim());
    this.#stored.remove(key);
  }
}
