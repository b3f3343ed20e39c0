/** The answers of a round: those that doccano holds, those that wait, and the way back. */

import { BY_HAND } from "./questions.js";

export class Round {
  #waiting;
  #stored = new Map();
  #changes = new Map();
  #done = [];
  #undone = [];

  /**
   * @param questions as {@link loadQuestions} returns them.
   * @param waiting the {@link WaitingAnswers}.
   */
  constructor(questions, waiting) {
    this.questions = questions;
    this.articleCount = new Set(questions.map((question) => question.article)).size;
    this.#waiting = waiting;
    const byId = new Map(questions.map((question) => [question.id, question]));
    for (const [id, entry] of waiting.list()) {
      // The storage may be that of another server which had the same address.
      if (byId.has(id) && byId.get(id).of !== entry.of) {
        waiting.remove(id);
      }
    }
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get openCount() {
    return this.questions.filter((question) => !this.isDone(question)).length;
  }

  /** The number of articles that must be marked by hand. */
  get byHandCount() {
    const chosen = this.questions.filter((question) => this.answerOf(question) === BY_HAND);
    return new Set(chosen.map((question) => question.article)).size;
  }

  find(id) {
    return this.questions.find((question) => question.id === id) ?? null;
  }

  questionsOf(article) {
    return this.questions.filter((question) => question.article === article);
  }

  /** Return the answer of a question, or null. */
  answerOf(question) {
    const entry = this.#waiting.get(question.id);
    return entry ? entry.answer : (this.#stored.get(question.id)?.answer ?? null);
  }

  isDone(question) {
    const entry = this.#waiting.get(question.id);
    if (entry) {
      return entry.answer !== null;
    }
    const stored = this.#stored.get(question.id);
    return stored ? stored.isConfirmed && stored.answer !== null : question.isConfirmed;
  }

  /** Return how often the answer of a question has changed since the page was opened. */
  changesOf(id) {
    return this.#changes.get(id) ?? 0;
  }

  /** Take over what doccano holds for a question. */
  setStored(id, stored) {
    this.#stored.set(id, stored);
    this.#changes.set(id, this.changesOf(id) + 1);
  }

  /** Answer a question. */
  give(question, answer) {
    const before = this.isDone(question) ? this.answerOf(question) : null;
    this.#done.push({ question, before, answer });
    this.#undone = [];
    this.#set(question, answer);
  }

  /** Take the last answer back and return its question, or null. */
  undo() {
    return this.#move(this.#done, this.#undone, "before");
  }

  /** Give the answer again that was taken back last, and return its question, or null. */
  redo() {
    return this.#move(this.#undone, this.#done, "answer");
  }

  /** Return the first open question behind a question, or before it if there is none; or null. */
  nextOpen(question) {
    const at = this.questions.indexOf(question);
    const others = [...this.questions.slice(at + 1), ...this.questions.slice(0, at + 1)];
    return others.find((candidate) => !this.isDone(candidate)) ?? null;
  }

  #move(from, to, field) {
    const change = from.pop();
    if (!change) {
      return null;
    }
    to.push(change);
    this.#set(change.question, change[field]);
    return change.question;
  }

  #set(question, answer) {
    this.#changes.set(question.id, this.changesOf(question.id) + 1);
    const base = this.#stored.get(question.id)?.answer ?? null;
    this.#waiting.change(question.id, question.of, base, answer);
  }
}
