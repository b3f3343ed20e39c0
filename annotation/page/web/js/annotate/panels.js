/** The panels beside the article: guidelines, comments and suggestions. */

import { createComment, listComments } from "../doccano.js";
import { clearNotice, showNotice } from "../notices.js";
import { CommentsPanel } from "../panels/comments.js";
import { GuidelinesPanel } from "../panels/guidelines.js";
import { SuggestionsPanel } from "../panels/suggestions.js";
import { keepSelection } from "./editing/label_bar.js";
import { spanKey } from "./editing/mouse.js";

/** Fills the panels with what belongs to the open article. */
export class Panels {
  #api;
  #project;
  #actions;
  #guidelines;
  #comments;
  #suggestions;
  #colors;
  #editor = null;
  #canAsk = true;

  /**
   * @param api an {@link Api}.
   * @param project as `loadProject` returns it.
   * @param actions the page's actions by name.
   */
  constructor(api, project, actions) {
    const place = document.getElementById("panel");
    this.#api = api;
    this.#project = project;
    this.#actions = actions;
    this.#colors = new Map(project.labels.map((label) => [label.name, label.color]));
    this.#guidelines = new GuidelinesPanel(place);
    this.#guidelines.setGuidelines(project.guidelines);
    this.#comments = new CommentsPanel(place);
    const onSpan = (name) => (record) => actions[name](record.span);
    this.#suggestions = new SuggestionsPanel(place, {
      select: onSpan("select"),
      accept: onSpan("acceptSpan"),
      reject: onSpan("reject"),
      restore: onSpan("restore"),
      acceptAll: actions.acceptAll,
      askAgain: () => this.#askModel(),
    });
    this.#connect("open-guidelines", this.#guidelines);
    this.#connect("open-comments", this.#comments);
    this.#connect("open-suggestions", this.#suggestions);
  }

  /** Show another article's comments and suggestions. */
  setArticle(article, editor) {
    this.#editor = editor;
    this.#comments.setArticle({
      // Words that wait in the browser are sent by the account that wrote them alone.
      key: `${this.#project.user.id}/${this.#project.id}/${article.id}`,
      list: () => this.#withLogin(() => listComments(this.#api, this.#project.id, article.id)),
      create: (text) =>
        this.#withLogin(() => createComment(this.#api, this.#project.id, article.id, text)),
      count: article.commentCount,
    });
    this.update(editor);
  }

  /** Show the suggestions as they are now. */
  update(editor) {
    const toRecord = (span) => ({
      key: spanKey(span),
      text: editor.wordsOf(span),
      label: span.label ?? "?",
      color: this.#colors.get(span.label) ?? "#999999",
      score: span.score,
      start: span.start,
      span,
    });
    this.#suggestions.update({
      open: editor.suggestions.map(toRecord),
      rejected: editor.rejected.map(toRecord),
      canAsk: this.#canAsk,
    });
  }

  /** Show what the guidelines say about a label; null for none. */
  showLabel(name) {
    this.#guidelines.showLabel(name);
  }

  /** Open a panel and move the focus into it; a panel with the focus is closed. */
  toggle(name) {
    const panel = {
      guidelines: this.#guidelines,
      comments: this.#comments,
      suggestions: this.#suggestions,
    }[name];
    if (panel.hasFocus) {
      panel.close();
    } else {
      panel.focus();
    }
  }

  /** Send a request, again after a login if the session has expired. */
  async #withLogin(send) {
    try {
      return await send();
    } catch (error) {
      if (error.kind !== "login") {
        throw error;
      }
      await this.#actions.logIn();
      return send();
    }
  }

  #connect(id, panel) {
    const opener = document.getElementById(id);
    keepSelection(opener);
    opener.addEventListener("click", () => (panel.isOpen ? panel.close() : panel.open()));
  }

  async #askModel() {
    const editor = this.#editor;
    clearNotice("model");
    try {
      const { spans } = await this.#withLogin(() =>
        this.#api.post("/orbat/suggest", { text: editor.text }),
      );
      const names = new Set(this.#project.choices.map((label) => label.name));
      if (editor === this.#editor) {
        this.#actions.propose(spans.filter((span) => names.has(span.label)));
      }
    } catch (error) {
      this.#canAsk = error.kind !== "missing";
      showNotice(
        "model",
        error.kind === "missing" ? "No model is connected to this server." : error.message,
        { kind: "warning" },
      );
      this.update(this.#editor);
    }
  }
}
