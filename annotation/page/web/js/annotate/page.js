/** The annotation page of a project: one open article, and everything around it. */

import { listSpans } from "../doccano.js";
import { askChoice } from "../dialogs.js";
import { logIn } from "../login.js";
import { clearNotice, showNotice } from "../notices.js";
import { Pace, progressText } from "../panels/progress.js";
import { showKeyMap } from "../panels/key_map.js";
import { TextView } from "../text_view.js";
import { Articles } from "./articles.js";
import { haveSameSpans } from "./changes.js";
import { Cursor } from "./cursor.js";
import { Drafts } from "./drafts.js";
import { Editor } from "./editor.js";
import { Find } from "./find.js";
import { keyGroups, listenToKeys } from "./keyboard.js";
import { createLabelBar, keepSelection } from "./label_bar.js";
import { listenToMouse, selectedRange, spanKey } from "./mouse.js";
import { Panels } from "./panels.js";
import { Saver } from "./saver.js";
import { Tabs } from "./tabs.js";

const STATES = {
  saved: "Saved",
  saving: "Saving…",
  offline: "Not saved yet: your work is kept in this browser",
};

/** Shows the articles of a project and lets the annotator change their spans. */
export class AnnotationPage {
  #api;
  #project;
  #view;
  #articles;
  #saver;
  #tabs;
  #pace;
  #panels;
  #find;
  #showArmed;
  #editor = null;
  /** Editors of the articles that were open before, so that their changes can be undone. */
  #editors = new Map();
  #stored = new Map();
  #armed = null;

  /**
   * @param api an {@link Api} that is logged in.
   * @param project as `loadProject` returns it.
   */
  constructor(api, project) {
    this.#api = api;
    this.#project = project;
    this.#view = new TextView(element("text"));
    this.#articles = new Articles(api, project.id);
    this.#pace = new Pace(`orbat-pace/${project.user.id}`);
    this.#tabs = new Tabs({
      onShared: () => this.#warnOfOtherTab(),
      onSaved: (key) => this.#refreshIfShown(key),
    });
    this.#panels = new Panels(api, project, this.#actions());
    this.#find = new Find(element("find"), () => this.#editor, (start, end) => {
      this.#editor.select(...(this.#editor.words.snap(start, end) ?? [start, end]));
      this.#view.reveal(...this.#editor.selection);
    });
    this.#showArmed = createLabelBar(element("labels"), project.labels, (name) =>
      this.#chooseLabel(name),
    );
    this.#listen();
    this.#saver = this.#createSaver();
    this.#articles.refresh().then(
      () => this.#showProgress(),
      () => {},
    );
  }

  /** Open the article at a position counted from 1, or the first open one if it is null. */
  async open(number) {
    await this.#attempt(async () => {
      const article = number ? await this.#articles.at(number) : await this.#articles.firstOpen();
      if (article) {
        await this.#show(article, number);
      } else if (number) {
        showNotice("end", `There is no article ${number} in this project.`, {
          kind: "warning",
          actions: [{ label: "First open article", run: () => this.open(null) }],
        });
      } else {
        this.#showEnd();
      }
    });
  }

  // -- articles -----------------------------------------------------------------------------

  async #show(article, number = null) {
    const unsaved = this.#saver.unsaved(article.id);
    const stored = await listSpans(this.#api, this.#project, article);
    const spans = unsaved ? unsaved.wanted : stored;
    this.#stored.set(article.id, stored);
    if (unsaved?.isConfirmed != null) {
      article.isConfirmed = unsaved.isConfirmed;
    }
    const editor = this.#editorOf(article, spans);
    this.#editor = editor;
    this.#view.setText(article.text);
    this.#render();
    window.scrollTo({ top: 0, behavior: "instant" });
    element("text").focus({ preventScroll: true });
    clearNotice("end");
    clearNotice("tab");
    this.#tabs.show(article.id);
    this.#pace.startArticle(editor.words.count);
    this.#panels.setArticle(article, editor);
    this.#showHeading(article, number);
    this.#warnOfStrangeSpans();
  }

  /** Return the editor that an article had before if the server still has the same spans. */
  #editorOf(article, spans) {
    const known = this.#editors.get(article.id);
    if (known && known.text === article.text && haveSameSpans(known.spans, spans)) {
      known.article = article;
      known.clear();
      return known;
    }
    const editor = new Editor(article, spans);
    editor.addEventListener("change", () => this.#save(editor));
    editor.addEventListener("show", () => {
      if (editor === this.#editor) {
        this.#render();
      }
    });
    this.#editors.set(article.id, editor);
    return editor;
  }

  #showHeading(article, number) {
    const { title, source, date, document: name } = article.meta;
    element("title").textContent = title ?? name ?? `Article ${article.id}`;
    element("source").textContent = [source, date].filter(Boolean).join(" · ");
    document.title = `${element("title").textContent} · ${this.#project.name}`;
    this.#showProgress();
    this.#setAddress(this.#articles.numberOf(article.id) || number);
  }

  #setAddress(number) {
    if (!number) {
      return;
    }
    const path = `/orbat/annotate/${this.#project.id}/${number}`;
    if (location.pathname !== path) {
      const isFirst = history.state === null;
      history[isFirst ? "replaceState" : "pushState"]({ number }, "", path);
    } else if (history.state === null) {
      history.replaceState({ number }, "", path);
    }
  }

  #showProgress() {
    if (!this.#editor || !this.#articles.count) {
      return;
    }
    const number = this.#articles.numberOf(this.#editor.article.id);
    element("progress").textContent = progressText({
      position: number,
      count: this.#articles.count,
      confirmed: this.#articles.confirmedCount,
      hours: this.#pace.hoursFor(this.#articles.openWords),
    });
    element("previous").disabled = number <= 1;
    element("next").disabled = number >= this.#articles.count;
    if (history.state === null) {
      this.#setAddress(number);
    }
  }

  async #go(step) {
    await this.#attempt(async () => {
      const number = this.#articles.numberOf(this.#editor.article.id) + step;
      if (number >= 1 && number <= this.#articles.count) {
        await this.open(number);
      }
    });
  }

  async #confirm() {
    const editor = this.#editor;
    if (!editor.article.isConfirmed) {
      editor.article.isConfirmed = true;
      this.#articles.setConfirmed(editor.article.id, true, true);
      this.#pace.finishArticle();
      this.#save(editor, true);
    }
    await this.#attempt(async () => {
      const next = await this.#articles.nextOpen(editor.article.id);
      if (next) {
        await this.#show(next);
      } else {
        this.#render();
        this.#showEnd();
      }
    });
  }

  #withdraw() {
    const { article } = this.#editor;
    if (article.isConfirmed) {
      article.isConfirmed = false;
      this.#articles.setConfirmed(article.id, false, true);
      this.#save(this.#editor, false);
      this.#render();
    }
  }

  #showEnd() {
    this.#showProgress();
    showNotice("end", "All articles are confirmed. You can close the page.", {
      kind: "info",
      actions: [{ label: "First article", run: () => this.open(1) }],
    });
  }

  // -- drawing ------------------------------------------------------------------------------

  #render() {
    const editor = this.#editor;
    const colors = new Map(this.#project.labels.map((label) => [label.name, label.color]));
    const suggestions = new Set(editor.suggestions);
    this.#view.setSpans(
      editor.spans.map((span) => ({
        key: spanKey(span),
        start: span.start,
        end: span.end,
        label: span.label ?? "?",
        color: colors.get(span.label) ?? "#999999",
        classes: [
          ...(suggestions.has(span) ? ["suggestion"] : []),
          ...(span === editor.selected ? ["selected"] : []),
        ],
        data:
          suggestions.has(span) && span.score !== null
            ? { score: `${Math.round(span.score * 100)} %` }
            : {},
      })),
    );
    this.#showSelection();
    this.#showActions();
    this.#panels.update(editor);
  }

  #showSelection() {
    const { selection } = this.#editor;
    const shown = selectedRange(this.#view);
    if (selection === null) {
      if (shown) {
        window.getSelection().removeAllRanges();
      }
    } else if (shown?.[0] !== selection[0] || shown[1] !== selection[1]) {
      const range = this.#view.range(...selection);
      window
        .getSelection()
        .setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    }
  }

  #showActions() {
    const editor = this.#editor;
    const span = editor.target;
    const states = {
      undo: editor.canUndo,
      redo: editor.canRedo,
      remove: span !== null,
      "mark-all": span !== null,
      accept: Boolean(span?.isSuggestion) && !editor.article.isConfirmed,
      "accept-all": editor.suggestions.length > 0,
    };
    for (const [id, isEnabled] of Object.entries(states)) {
      element(id).disabled = !isEnabled;
    }
    document.body.classList.toggle("confirmed", editor.article.isConfirmed);
    element("withdraw").hidden = !editor.article.isConfirmed;
  }

  #warnOfStrangeSpans() {
    clearNotice("spans");
    const count = this.#editor.spans.filter((span) => span.label === null).length;
    if (count) {
      showNotice(
        "spans",
        `${count} spans have a label that this project does not have any more. Tell the lead.`,
        { kind: "warning" },
      );
    }
  }

  // -- actions ------------------------------------------------------------------------------

  #chooseLabel(name) {
    if (this.#editor?.selection) {
      this.#editor.mark(name);
      this.#panels.showLabel(name);
    } else {
      this.#arm(this.#armed === name ? null : name);
    }
  }

  #arm(name) {
    this.#armed = name;
    this.#showArmed(name);
    this.#panels.showLabel(name);
  }

  /** Return the actions by name, as the keys, buttons and panels call them. */
  #actions() {
    const onCursor = (name) => (...values) => new Cursor(this.#view, this.#editor)[name](...values);
    const report = (text) => showNotice("action", text, { kind: "info" });
    const actions = {
      label: (name) => this.#chooseLabel(name),
      nextSpan: (step) => {
        const span = this.#editor.selectNext(step);
        if (span) {
          this.#view.reveal(span.start, span.end);
        }
      },
      select: (span) => {
        this.#editor.selectSpan(span);
        this.#view.reveal(span.start, span.end);
      },
      accept: () => {
        const span = this.#editor.target;
        if (span && this.#editor.accept([span])) {
          this.#editor.selectSpan(this.#editor.target ?? span);
          actions.nextSpan(1);
        }
      },
      acceptSpan: (span) => this.#editor.accept([span]),
      acceptAll: () => {
        const count = this.#editor.accept(this.#editor.suggestions);
        report(`${count} suggestions accepted.`);
      },
      reject: (span) => this.#editor.removeSpans([span]),
      restore: (span) => this.#editor.restore(span),
      remove: () => this.#editor.remove(),
      removeAll: () => report(`${this.#editor.removeAll()} spans removed.`),
      markAll: () => {
        const result = this.#editor.markAll();
        if (result) {
          report(
            `${result.added} more occurrences marked` +
              (result.overlapped ? `; ${result.overlapped} overlap another span.` : "."),
          );
        }
      },
      undo: () => this.#editor.undo(),
      redo: () => this.#editor.redo(),
      confirm: () => this.#confirm(),
      withdraw: () => this.#withdraw(),
      go: (step) => this.#go(step),
      find: () => this.#find.open(),
      keys: () =>
        showKeyMap({ labels: this.#project.labels, keys: keyGroups(this.#project.labels) }),
      propose: (spans) => {
        const count = this.#editor.propose(spans);
        report(count ? `${count} new suggestions.` : "The model has no new suggestions.");
      },
      clear: () => {
        clearNotice("action");
        if (this.#editor.selection) {
          this.#editor.clear();
        } else {
          this.#arm(null);
        }
      },
    };
    for (const name of Object.getOwnPropertyNames(Cursor.prototype)) {
      if (name !== "constructor") {
        actions[name] = onCursor(name);
      }
    }
    // Before the first article there is nothing to act on.
    return Object.fromEntries(
      Object.entries(actions).map(([name, run]) => [
        name,
        (...values) => (this.#editor || name === "keys" ? run(...values) : undefined),
      ]),
    );
  }

  #listen() {
    const actions = this.#actions();
    listenToMouse(
      this.#view,
      () => this.#editor,
      () => this.#armed,
    );
    listenToKeys(actions, this.#project.labels);
    const buttons = {
      previous: () => actions.go(-1),
      next: () => actions.go(1),
      confirm: actions.confirm,
      withdraw: actions.withdraw,
      undo: actions.undo,
      redo: actions.redo,
      remove: actions.remove,
      accept: actions.accept,
      "accept-all": actions.acceptAll,
      "mark-all": actions.markAll,
      "open-find": actions.find,
      "open-keys": actions.keys,
    };
    for (const [id, run] of Object.entries(buttons)) {
      keepSelection(element(id));
      element(id).addEventListener("click", () => run());
    }
    window.addEventListener("popstate", (event) => {
      if (event.state) {
        this.open(event.state.number);
      }
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#editor) {
        this.#refreshIfShown(this.#editor.article.id);
      }
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.#saver.wouldLoseWork) {
        event.preventDefault();
      }
    });
  }

  // -- saving -------------------------------------------------------------------------------

  #createSaver() {
    return new Saver(this.#api, this.#project, new Drafts(this.#project.user.id, this.#project.id), {
      onState: (state) => {
        document.body.dataset.state = state;
        element("save-state").textContent = STATES[state];
      },
      logIn: () => this.#logInAgain(),
      chooseVersion: () =>
        askChoice({
          title: "This article was changed elsewhere",
          text: "Its spans on the server are not those that this page started from.",
          choices: [
            { value: "mine", label: "Save the spans of this page" },
            { value: "theirs", label: "Take the spans on the server", isDefault: true },
          ],
        }).then((choice) => choice ?? "theirs"),
      onTheirs: (id, spans) => this.#editors.get(id)?.replaceSpans(spans),
      onBlocked: (id, message) =>
        showNotice("blocked", message, {
          kind: "error",
          actions: [{ label: "Try again", run: () => this.#saver.retry() }],
        }),
      onSaved: (id, stored) => {
        this.#stored.set(id, stored);
        const isConfirmed = this.#editors.get(id)?.article.isConfirmed;
        if (isConfirmed !== undefined) {
          this.#articles.setConfirmed(id, isConfirmed, false);
        }
        clearNotice("blocked");
        this.#tabs.saved(id);
        this.#showProgress();
      },
    });
  }

  #save(editor, isConfirmed = null) {
    const { article, spans, text } = editor;
    // Suggestions of a model stay on the page until they are accepted or the article is confirmed.
    const wanted = article.isConfirmed ? spans : spans.filter((span) => !span.isProposed);
    this.#saver.save(article.id, {
      text,
      stored: this.#stored.get(article.id),
      wanted,
      isConfirmed,
    });
  }

  async #logInAgain() {
    const user = await logIn(this.#api, {
      reason: "Your session has expired. Log in to save your work.",
    });
    if (user.id !== this.#project.user.id) {
      // The work of the first account stays in the browser until that account logs in again.
      location.reload();
    }
  }

  /** Run something that reads from the server, and explain it if it fails. */
  async #attempt(run) {
    try {
      await run();
      clearNotice("read");
    } catch (error) {
      if (error.kind === "login") {
        await this.#logInAgain();
        await this.#attempt(run);
        return;
      }
      if (error.kind === undefined) {
        throw error;
      }
      showNotice("read", `The article cannot be opened. ${error.message}`, {
        kind: "error",
        actions: [{ label: "Try again", run: () => this.#attempt(run) }],
      });
    }
  }

  #warnOfOtherTab() {
    showNotice(
      "tab",
      "This article is open in another tab or window too. Work in one of them only.",
      { kind: "warning" },
    );
  }

  /** Show the server's spans of the open article if they were changed elsewhere. */
  async #refreshIfShown(id) {
    const editor = this.#editor;
    if (!editor || editor.article.id !== id || this.#saver.unsaved(id)) {
      return;
    }
    let stored;
    try {
      stored = await listSpans(this.#api, this.#project, editor.article);
    } catch {
      return;
    }
    if (this.#saver.unsaved(id) || haveSameSpans(this.#stored.get(id), stored)) {
      return;
    }
    this.#stored.set(id, stored);
    editor.replaceSpans(stored);
    showNotice("changed", "This article was changed elsewhere; the newest spans are shown.", {
      kind: "warning",
    });
  }
}

function element(id) {
  return document.getElementById(id);
}
