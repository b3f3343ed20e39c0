/** Answers that doccano does not hold yet, in the browser's storage, so that no closed tab loses them. */

/**
 * The waiting answers of one person in one project, by the id of the question.
 *
 * An entry is `{of, base, answer, tried, at, problem}`: `base` is the answer that is replaced, and
 * `tried` the one of an earlier attempt that may have arrived. `problem` says why the answer is
 * held back: `{kind, ...}`, or null.
 */
export class WaitingAnswers {
  #prefix;
  #storage;
  #unstored = new Map();
  #last = 0;

  constructor(project, user, storage) {
    this.#prefix = `orbat/adjudicate/${project}/${user}/`;
    this.#storage = storage;
  }

  /** Whether closing the page would lose an answer, because the browser does not store it. */
  get wouldBeLost() {
    return this.#unstored.size > 0;
  }

  /** Whether an event of the browser's storage is about these answers. */
  concerns(event) {
    return event.key === null || event.key.startsWith(this.#prefix);
  }

  get(question) {
    if (this.#unstored.has(question)) {
      return this.#unstored.get(question);
    }
    return parse(this.#storage.getItem(this.#prefix + question));
  }

  /** Return `[question, entry]` pairs in the order in which the answers were given. */
  list() {
    const entries = new Map(this.#unstored);
    for (let i = 0; i < this.#storage.length; i++) {
      const key = this.#storage.key(i);
      if (key.startsWith(this.#prefix)) {
        const question = Number(key.slice(this.#prefix.length));
        const entry = this.get(question);
        if (entry) {
          entries.set(question, entry);
        }
      }
    }
    return [...entries].sort(([, a], [, b]) => a.at - b.at);
  }

  /** Keep an answer in place of `base`; null withdraws the answer. */
  change(question, of, base, answer) {
    const before = this.get(question);
    const first = before ? before.base : base;
    const tried = before?.tried ?? null;
    if (answer === null && first === null && tried === null) {
      this.remove(question);
      return;
    }
    this.#last = Math.max(Date.now(), this.#last + 1);
    this.put(question, { of, base: first, answer, tried, at: this.#last, problem: null });
  }

  put(question, entry) {
    try {
      this.#storage.setItem(this.#prefix + question, JSON.stringify(entry));
      this.#unstored.delete(question);
    } catch {
      // The storage is full or forbidden: the answers live as long as this page.
      this.#unstored.set(question, entry);
    }
  }

  remove(question) {
    this.#unstored.delete(question);
    this.#storage.removeItem(this.#prefix + question);
  }
}

/** Storage of a browser that forbids it: nothing is kept. */
const NO_STORAGE = {
  length: 0,
  key: () => null,
  getItem: () => null,
  setItem: () => {
    throw new Error("This browser keeps nothing.");
  },
  removeItem: () => {},
};

/** Return the browser's storage; one that keeps nothing where it is forbidden. */
export function browserStorage() {
  try {
    return localStorage ?? NO_STORAGE;
  } catch {
    return NO_STORAGE;
  }
}

function parse(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}
