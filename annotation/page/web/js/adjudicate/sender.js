/** Sends waiting answers to doccano one after another, and tries again until they have arrived. */

import { Backoff } from "../backoff.js";
import { alone } from "../locks.js";
import { readAnswer, readCategoryIds, writeAnswer } from "./answers.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export class Sender {
  #api;
  #project;
  #waiting;
  #categoryIds;
  #listener;
  #timer = null;
  #backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
  #isRunning = false;
  #hasFailed = false;
  #isAskedAgain = false;

  /**
   * @param {object} parts
   * @param parts.waiting the {@link WaitingAnswers}.
   * @param parts.categoryIds the ids of the answers.
   * @param parts.listener `{onState(state), onStored(question, answer), onShared(question),
   *   onProblem(question), onFailure(error), onLogin()}`. `onShared` says that somebody else gave an
   *   answer at the same moment; `onFailure(null)` that the server works again, and its error has
   *   the `question` if the server failed at that one; `onLogin` returns when the person has logged
   *   in.
   */
  constructor({ api, project, waiting, categoryIds, listener }) {
    this.#api = api;
    this.#project = project;
    this.#waiting = waiting;
    this.#categoryIds = categoryIds;
    this.#listener = listener;
    window.addEventListener("online", () => this.wake());
  }

  /** Send what waits, at once. */
  wake() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isRunning) {
      this.#isAskedAgain = true;
    } else {
      this.#run();
    }
  }

  async #run() {
    this.#isRunning = true;
    try {
      do {
        this.#isAskedAgain = false;
        this.#showState();
        // Two tabs must not both confirm the same question.
        await alone(`orbat/adjudicate/${this.#project}`, () => this.#sendAll());
      } while (this.#isAskedAgain);
      this.#succeed();
    } catch (error) {
      await this.#recover(error);
    } finally {
      this.#isRunning = false;
      this.#showState();
    }
  }

  #succeed() {
    this.#hasFailed = false;
    this.#backoff.reset();
    this.#listener.onFailure(null);
  }

  async #recover(error) {
    this.#hasFailed = true;
    this.#showState();
    if (error.kind === "login") {
      await this.#listener.onLogin();
      this.#timer = setTimeout(() => this.wake());
      return;
    }
    if (!error.kind) {
      throw error;
    }
    this.#listener.onFailure(error);
    this.#timer = setTimeout(() => this.wake(), this.#backoff.next());
  }

  async #sendAll() {
    let failure = null;
    for (const [question] of this.#waiting.list()) {
      try {
        // Another tab may have sent it meanwhile.
        while (this.#waiting.get(question) && !this.#waiting.get(question).problem) {
          await this.#send(question, this.#waiting.get(question));
        }
      } catch (error) {
        // An answer that the server always fails at must not hold up the others.
        if (error.status !== 500) {
          throw error;
        }
        error.question = question;
        failure ??= error;
      }
    }
    if (failure) {
      throw failure;
    }
  }

  async #send(question, entry) {
    const { answer } = entry;
    const stored = await readAnswer(this.#api, this.#project, question, this.#categoryIds);
    if (![answer, entry.base, entry.tried].includes(stored.answer)) {
      const isThere = await this.#isThere(question);
      this.#hold(question, isThere ? { kind: "other", stored } : { kind: "deleted" });
      return;
    }
    if (answer !== null && !this.#categoryIds.has(answer)) {
      this.#categoryIds = await readCategoryIds(this.#api, this.#project);
      if (!this.#categoryIds.has(answer)) {
        this.#hold(question, { kind: "answer" });
        return;
      }
    }
    const now = this.#waiting.get(question);
    if (now?.answer !== answer) {
      return;
    }
    this.#waiting.put(question, { ...now, tried: answer });
    let isShared;
    try {
      isShared = await writeAnswer(
        this.#api, this.#project, question, answer, stored, this.#categoryIds,
      );
    } catch (error) {
      if (error.kind !== "refused" && error.kind !== "missing") {
        throw error;
      }
      this.#categoryIds = await readCategoryIds(this.#api, this.#project);
      const isThere = await this.#isThere(question);
      this.#hold(question, isThere ? { kind: "refused", message: error.message } : { kind: "deleted" });
      return;
    }
    this.#finish(question, answer);
    if (isShared) {
      this.#listener.onShared(question);
    }
  }

  /** Return whether doccano still has a question: it lists no answers for one that was deleted. */
  async #isThere(question) {
    try {
      await this.#api.get(`/v1/projects/${this.#project}/examples/${question}`);
      return true;
    } catch (error) {
      if (error.kind === "missing") {
        return false;
      }
      throw error;
    }
  }

  #hold(question, problem) {
    this.#waiting.put(question, { ...this.#waiting.get(question), problem });
    this.#listener.onProblem(question);
  }

  /** Forget an answer that has arrived, unless it was changed meanwhile. */
  #finish(question, answer) {
    const now = this.#waiting.get(question);
    if (now && now.answer !== answer) {
      this.#waiting.put(question, { ...now, base: answer, tried: null });
    } else {
      this.#waiting.remove(question);
    }
    this.#succeed();
    this.#listener.onStored(question, answer);
    this.#showState();
  }

  #showState() {
    const isWaiting = this.#waiting.list().length > 0;
    const isSending = this.#isRunning && !this.#hasFailed;
    this.#listener.onState(!isWaiting ? "saved" : isSending ? "saving" : "offline");
  }
}
