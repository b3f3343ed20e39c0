/** The panel with the comments on an article and a box to write one. */

import { create } from "../elements.js";
import { CommentOutbox } from "./comment_outbox.js";
import { Panel } from "./panel.js";

const STORAGE_PREFIX = "orbat:comment:";

export class CommentsPanel {
  #panel;
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

  /**
   * @param {HTMLElement} element the element that all panels share.
   * @param {{list?: () => Promise<object[]>, create?: (text: string) => Promise<void>}} requests
   *   of the first article; `setArticle` names those of others.
   */
  constructor(element, requests = {}) {
    this.#panel = new Panel(element, "comments-panel", "Comments");
    this.#requests = requests;
    this.#outbox = new CommentOutbox((key) => this.#onOutboxChange(key));
    this.#box = create("textarea", {
      rows: 3,
      "aria-label": "New comment",
      placeholder: "What should others know about this article?",
      input: () => this.#outbox.keepDraft(this.#storageKey, this.#box.value),
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
    this.#panel.body.append(this.#shown, form);
  }

  get isOpen() {
    return this.#panel.isOpen;
  }

  /** The number of comments on the article. */
  get count() {
    return this.#isLoaded ? this.#comments.length : this.#count;
  }

  open() {
    this.#panel.open();
    void this.#reload();
  }

  close() {
    this.#panel.close();
  }

  get hasFocus() {
    return this.#panel.hasFocus;
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
    void this.#outbox.resume(this.#storageKey, this.#requests);
  }

  /** Read and show the comments on the article. */
  async show(key = this.#key) {
    this.#key = key;
    await this.#reload();
  }

  get #storageKey() {
    return `${STORAGE_PREFIX}${this.#key}`;
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
    if (this.#outbox.stateOf(this.#storageKey).isSending) {
      this.#outbox.sendAgain();
    } else {
      void this.#outbox.send(this.#storageKey, this.#requests);
    }
  }

  #onOutboxChange(storageKey) {
    if (storageKey !== this.#storageKey) {
      return;
    }
    const { text, isSending } = this.#outbox.stateOf(storageKey);
    if (text === "" && !isSending) {
      void this.#reload();
    }
    this.#render();
  }

  #render(failure = "") {
    this.#panel.showCount(this.count);
    const none = this.#isLoaded && this.#comments.length === 0;
    this.#shown.replaceChildren(
      ...(none ? [create("li", { class: "quiet" }, "No comment yet.")] : this.#comments.map(toItem)),
    );
    const state = this.#outbox.stateOf(this.#storageKey);
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
