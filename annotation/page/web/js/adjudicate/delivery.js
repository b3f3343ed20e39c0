/** Brings answers to doccano, says what becomes of them, and hears of those of other tabs. */

import { Account } from "../account.js";
import { showNotice } from "../notices.js";
import { clearProblem, showFailure, showProblem, showShared } from "./messages.js";
import { Sender } from "./sender.js";

const STATES = { saved: "Saved", saving: "Saving…", offline: "Not stored yet: " };
const SESSION_ENDED = "Your session has ended. Log in to go on; nothing is lost.";

export class Delivery {
  #account;
  #waiting;
  #round;
  #onChange;
  #sender;
  #channel;

  /**
   * @param {object} parts
   * @param parts.round the {@link Round}.
   * @param parts.waiting its {@link WaitingAnswers}.
   * @param parts.onChange called when the answer of a question has changed elsewhere.
   */
  constructor({ api, project, categoryIds, waiting, round, onChange }) {
    this.#account = new Account(api, project.user, SESSION_ENDED);
    this.#waiting = waiting;
    this.#round = round;
    this.#onChange = onChange;
    const listener = this.#listener();
    this.#sender = new Sender({ api, project: project.id, waiting, categoryIds, listener });
    this.#channel = new BroadcastChannel(`orbat-adjudicate-${project.id}`);
    this.#channel.addEventListener("message", ({ data }) => this.#receive(data));
    window.addEventListener("beforeunload", (event) => {
      if (waiting.wouldBeLost) {
        event.preventDefault();
      }
    });
    window.addEventListener("storage", (event) => {
      if (waiting.concerns(event)) {
        onChange();
      }
    });
  }

  /** Send the answers that an earlier visit has left, and greet the other tabs. */
  start() {
    for (const [id] of this.#waiting.list()) {
      this.#showProblem(id);
    }
    this.#channel.postMessage({ kind: "opened" });
    this.#sender.wake();
  }

  /** Load the page anew if another account has logged in meanwhile; its answers are its own. */
  async checkUser() {
    try {
      await this.#account.check();
    } catch {
      // The next answer asks for a login or is sent later.
    }
  }

  /** Send a question's new answer. */
  send(question) {
    clearProblem(question.id);
    this.#sender.wake();
  }

  #listener() {
    return {
      onState: (state) => this.#showState(state),
      onStored: (id, answer) => {
        const stored = { answer, isConfirmed: answer !== null };
        this.#round.setStored(id, stored);
        this.#channel.postMessage({ kind: "stored", id, stored });
      },
      onShared: (id) => showShared(id, this.#nameOf(id)),
      onProblem: (id) => {
        const { problem } = this.#waiting.get(id);
        if (problem.stored) {
          this.#round.setStored(id, problem.stored);
        }
        this.#showProblem(id);
        this.#onChange();
      },
      onFailure: (error) => showFailure(error, error?.question && this.#nameOf(error.question)),
      onLogin: () => this.#account.logInAgain(),
    };
  }

  #showState(state) {
    const count = this.#waiting.list().length;
    const answers = count === 1 ? "1 answer" : `${count} answers`;
    document.body.dataset.state = state;
    document.getElementById("save-state").textContent =
      STATES[state] + (state === "offline" ? answers : "");
  }

  #showProblem(id) {
    const entry = this.#waiting.get(id);
    if (!entry?.problem) {
      return;
    }
    const settle = (change) => () => {
      change();
      clearProblem(id);
      this.#sender.wake();
      this.#onChange();
    };
    showProblem(id, this.#nameOf(id), entry, {
      useMine: settle(() => {
        const base = entry.problem.stored.answer;
        this.#waiting.put(id, { ...entry, base, tried: null, problem: null });
      }),
      discard: settle(() => this.#waiting.remove(id)),
      retry: settle(() => this.#waiting.put(id, { ...entry, problem: null })),
    });
  }

  #nameOf(id) {
    const question = this.#round.find(id);
    return question ? `Conflict ${this.#round.questions.indexOf(question) + 1}` : "A conflict";
  }

  #receive({ kind, id, stored }) {
    if (kind === "stored") {
      this.#round.setStored(id, stored);
      this.#onChange();
      return;
    }
    showNotice("tabs", "These conflicts are open in another tab, too. The answers of both are kept.");
    if (kind === "opened") {
      this.#channel.postMessage({ kind: "also open" });
    }
  }
}
