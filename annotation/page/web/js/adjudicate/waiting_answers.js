/** Answers that doccano does not hold yet, in the browser's storage, so that no closed tab loses them. */

import { StoredValues } from "../storage.js";

/**
 * The waiting answers of one person in one project, by the id of the question.
 *
 * An entry is `{of, base, answer, tried, at, problem}`: `base` is the answer that is replaced, and
 * `tried` the one of an earlier attempt that may have arrived. `problem` says why the answer is
 * held back: `{kind, ...}`, or null.
 */
export class WaitingAnswers {
  #entries;
  #last = 0;

  constructor(project, user) {
    this.#entries = new StoredValues(`orbat/adjudicate/${project}/${user}/`);
  }

  /** Whether closing the page would lose an answer, because the browser does not store it. */
  get wouldBeLost() {
    return this.#entries.wouldLose;
  }

  /** Whether an event of the browser's storage is about these answers. */
  concerns(event) {
    return this.#entries.concerns(event);
  }

  get(question) {
    return this.#entries.get(String(question));
  }

  /** Return `[question, entry]` pairs in the order in which the answers were given. */
  list() {
    const questions = this.#entries.names().map(Number);
    const entries = questions.map((question) => [question, this.get(question)]);
    return entries.filter(([, entry]) => entry).sort(([, a], [, b]) => a.at - b.at);
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
    this.#entries.set(String(question), entry);
  }

  remove(question) {
    this.#entries.remove(String(question));
  }
}
