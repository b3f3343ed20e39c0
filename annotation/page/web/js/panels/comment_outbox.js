/**
 * Comments on their way to the server.
 *
 * A comment stays in the browser's storage until the server has it. After a failure it may have
 * arrived all the same: before it is sent again, the comments on the server are read.
 */

import { alone } from "../locks.js";

const FIRST_RETRY_MS = 3_000;
const LAST_RETRY_MS = 60_000;

/** What the browser refused to store, because its storage is full or switched off. */
const unstored = new Map();

export class CommentOutbox {
  #onChange;
  #sending = new Map();

  /** @param {(key: string) => void} onChange is called after each change of a comment's state. */
  constructor(onChange) {
    this.#onChange = onChange;
    window.addEventListener("online", () => this.sendAgain());
  }

  /** Return the words that wait for an article: `{text, isSending, failure}`. */
  stateOf(key) {
    const stored = read(key);
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
      forget(key);
    } else {
      write(key, { text });
    }
  }

  /** Send the kept words; the promise ends when the server has them or refused them. */
  async send(key, { list, create }) {
    const stored = read(key);
    if (!stored?.text.trim() || this.#sending.has(key)) {
      return;
    }
    write(key, { ...stored, failure: "", isWaiting: true });
    const entry = { failure: "", retry: () => {} };
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
    return read(key)?.isWaiting ? this.send(key, requests) : Promise.resolve();
  }

  /** Try at once what waits for its next turn. */
  sendAgain() {
    for (const entry of this.#sending.values()) {
      entry.retry();
    }
  }

  async #untilSent(key, entry, requests) {
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(2 * delay, LAST_RETRY_MS)) {
      try {
        await alone(key, () => sendOnce(key, requests));
        return;
      } catch (error) {
        const mayPass = error.isTemporary || error.kind === "login";
        if (!mayPass) {
          write(key, { text: read(key).text, failure: `Not sent: ${error.message}` });
          return;
        }
        entry.failure = `Not sent yet: ${error.message} It is tried again.`;
        this.#onChange(key);
        await this.#pause(entry, delay);
      }
    }
  }

  #pause(entry, delay) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      entry.retry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function sendOnce(key, { list, create }) {
  const stored = read(key);
  if (!stored) {
    return;
  }
  const present = await list();
  if (stored.known) {
    const known = new Set(stored.known);
    if (present.some((comment) => !known.has(comment.id) && comment.text === stored.text.trim())) {
      forget(key);
      return;
    }
  } else {
    write(key, { ...stored, known: present.map((comment) => comment.id) });
  }
  await create(stored.text.trim());
  forget(key);
}

function read(key) {
  try {
    return unstored.get(key) ?? JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
    unstored.delete(key);
  } catch {
    unstored.set(key, value);
  }
}

function forget(key) {
  unstored.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing is stored where storage is switched off.
  }
}
