/** The panel with the comments on an article and a box to write one. */

import { create } from "../elements.js";
import { CommentOutbox } from "./comment_outbox.js";
import { Panel } from "./panel.js";

export class CommentsPanel extends Panel {
  #outbox;
  #requests;
  #key = null;
  #comments = [];
  #isLoaded = false;
  #count = 0;
  #shown = create("ol", { class: "comments" });
  #state = create("p", { class: "failure", role: "status" });
  #box;
  #send;

  /** @param {HTMLElement} element the element that all panels share. */
  constructor(element) {
    super(element, "comments-panel", "Comments");
    this.#outbox = new CommentOutbox((key) => this.#onOutboxChange(key));
    this.#box = create("textarea", {
      rows: 3,
      "aria-label": "New comment",
      placeholder: "What should others know about this article?",
      input: () => this.#outbox.keepDraft(this.#key, this.#box.value),
      keydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          this.#submit();
        }
      },
    });
    this.#send = create("button", { class: "primary" }, "Send");
    const form = create("form", { class: "comment-form" }, this.#box, this.#state, this.#send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.body.append(this.#shown, form);
  }

  /** The number of comments on the article. */
  get count() {
    return this.#isLoaded ? this.#comments.length : this.#count;
  }

  open() {
    super.open();
    void this.#reload();
  }

  /** Open the panel with the cursor in the box. */
  focus() {
    this.open();
    this.#box.focus();
  }

  /**
   * Name the article whose comments are shown next, and its requests.
   *
   * The comments are read when the panel is open or is opened; `count` is shown until then.
   */
  setArticle({ key, list, create: send, count = 0 }) {
    this.#key = key;
    this.#requests = { list, create: send };
    this.#comments = [];
    this.#isLoaded = false;
    this.#count = count;
    this.#render();
    if (this.isOpen) {
      void this.#reload();
    }
    void this.#outbox.resume(this.#key, this.#requests);
  }

  async #reload() {
    const key = this.#key;
    let failure = "";
    let comments = this.#comments;
    try {
      comments = await this.#requests.list();
    } catch (error) {
      failure = `The comments cannot be read: ${error.message}`;
    }
    if (key !== this.#key) {
      return;
    }
    this.#comments = comments;
    this.#isLoaded = failure === "";
    this.#render(failure);
  }

  #submit() {
    if (this.#outbox.stateOf(this.#key).isSending) {
      this.#outbox.sendAgain();
    } else {
      void this.#outbox.send(this.#key, this.#requests);
    }
  }

  #onOutboxChange(key) {
    if (key !== this.#key) {
      return;
    }
    const { text, isSending } = this.#outbox.stateOf(key);
    if (text === "" && !isSending) {
      void this.#reload();
    }
    this.#render();
  }

  #render(failure = "") {
    this.showCount(this.count);
    const none = this.#isLoaded && this.#comments.length === 0;
    this.#shown.replaceChildren(
      ...(none ? [create("li", { class: "quiet" }, "No comment yet.")] : this.#comments.map(toItem)),
    );
    const state = this.#outbox.stateOf(this.#key);
    if (this.#box.value !== state.text) {
      this.#box.value = state.text;
    }
    // What is on its way must stay as it is: the server may already have it.
    this.#box.readOnly = state.isSending;
    this.#send.textContent = state.isSending && state.failure ? "Try now" : "Send";
    this.#state.textContent = failure || state.failure || (state.isSending ? "Sending…" : "");
  }
}

function toItem(comment) {
  const time = new Date(comment.createdAt);
  const shown = Number.isNaN(time.getTime())
    ? ""
    : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return create(
    "li",
    {},
    create("p", { class: "comment-head" }, create("strong", {}, comment.user), ` ${shown}`),
    create("p", { class: "comment-text", dir: "auto" }, comment.text),
  );
}
