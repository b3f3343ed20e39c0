/** The annotation page of a project: which article is open, and what the annotator does with it. */

import { listSpans, readArticle } from "../doccano.js";
import { clearNotice, showNotice } from "../notices.js";
import { showKeyMap } from "../panels/key_map.js";
import { TextView } from "../text_view.js";
import { Access } from "./saving/access.js";
import { editingActions } from "./editing/actions.js";
import { Articles } from "./articles.js";
import { haveSameSpans } from "./saving/changes.js";
import { connectButtons, connectWindow } from "./controls.js";
import { drawArticle } from "./editing/drawing.js";
import { Drafts } from "./saving/drafts.js";
import { Editor } from "./editing/editor.js";
import { Find } from "./editing/find.js";
import { Heading } from "./heading.js";
import { keyGroups, listenToKeys } from "./editing/keyboard.js";
import { createLabelBar } from "./editing/label_bar.js";
import { listenToMouse } from "./editing/mouse.js";
import { Panels } from "./panels.js";
import { focusNextRegion } from "./regions.js";
import { Saver } from "./saving/saver.js";
import { chooseVersion, showBlocked, showState } from "./saving/state.js";
import { Tabs } from "./saving/tabs.js";

/** Shows the articles of a project and lets the annotator change their spans. */
export class AnnotationPage {
  #api;
  #project;
  #colors;
  #view;
  #access;
  #articles;
  #heading;
  #saver;
  #tabs;
  #panels;
  #find;
  #showArmed;
  #editor = null;
  /** Editors of the articles that were open before, so that their changes can be undone. */
  #editors = new Map();
  #armed = null;
  /** The number of the last attempt to open an article; older ones have no effect. */
  #opening = 0;
  /** The next open article, read while the annotator works. */
  #ahead = null;

  /**
   * @param api an {@link Api} that is logged in.
   * @param project as `loadProject` returns it.
   */
  constructor(api, project) {
    const getEditor = () => this.#editor;
    this.#api = api;
    this.#project = project;
    this.#colors = new Map(project.labels.map((label) => [label.name, label.color]));
    this.#view = new TextView(document.getElementById("text"));
    this.#access = new Access(api, project.user);
    this.#articles = new Articles(api, project.id);
    this.#heading = new Heading(project, this.#articles);
    this.#tabs = new Tabs({
      onShared: () => this.#warnOfOtherTab(),
      onSaved: (id) => this.#refresh(id),
    });
    const actions = { ...editingActions(this.#view, getEditor), ...this.#pageActions() };
    this.#panels = new Panels(api, project, actions);
    this.#find = new Find(document.getElementById("find"), this.#view, getEditor);
    this.#showArmed = createLabelBar(
      document.getElementById("labels"),
      project.labels,
      actions.label,
    );
    listenToMouse(this.#view, getEditor, () => this.#armed);
    listenToKeys(actions, project.labels);
    connectButtons(actions);
    connectWindow({
      open: (number) => this.open(number),
      onReturn: () => this.#refresh(this.#editor?.article.id),
      wouldLoseWork: () => this.#saver.wouldLoseWork,
    });
    this.#saver = this.#createSaver();
  }

  /** Open the article at a position counted from 1, or the first open one if it is null. */
  async open(number) {
    await this.#access.attempt(async () => {
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
      await this.#articles.ready();
      this.#heading.update();
      this.#readAhead();
    });
  }

  // -- articles -----------------------------------------------------------------------------

  async #show(found, number = null) {
    const opening = ++this.#opening;
    const { article, stored } = await this.#read(found);
    if (opening !== this.#opening) {
      return;
    }
    const unsaved = this.#saver.unsaved(article.id);
    article.isConfirmed = unsaved?.isConfirmed ?? article.isConfirmed;
    this.#saver.setStored(article.id, stored);
    this.#editor = this.#editorOf(article, unsaved?.wanted ?? stored);
    this.#view.setText(article.text);
    this.#render();
    window.scrollTo({ top: 0, behavior: "instant" });
    this.#view.element.focus({ preventScroll: true });
    for (const notice of ["end", "tab", "changed", "action"]) {
      clearNotice(notice);
    }
    this.#tabs.show(article.id);
    this.#panels.setArticle(article, this.#editor);
    this.#heading.show(article, number, this.#editor.words.count);
    this.#warnOfStrangeSpans();
  }

  /** Read the spans of an article; again if it was saved in the meantime. */
  async #read(article) {
    for (;;) {
      const revision = this.#saver.revision(article.id);
      const stored = await listSpans(this.#api, this.#project, article);
      if (revision === this.#saver.revision(article.id)) {
        return { article, stored };
      }
      article = await readArticle(this.#api, this.#project.id, article.id);
    }
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

  #render() {
    drawArticle(this.#view, this.#editor, this.#colors);
    this.#panels.update(this.#editor);
  }

  /** Read the next open article now, so that it opens at once and without a connection. */
  #readAhead() {
    const next = this.#editor && this.#articles.nextOpenId(this.#editor.article.id);
    if (!next || next === this.#ahead?.id) {
      return;
    }
    const content = readArticle(this.#api, this.#project.id, next).then((article) =>
      this.#read(article),
    );
    this.#ahead = { id: next, content: content.catch(() => null) };
  }

  async #openNext() {
    const next = await this.#articles.nextOpen(this.#editor.article.id);
    if (next === null) {
      this.#render();
      this.#showEnd();
      return;
    }
    const ahead = next === this.#ahead?.id ? await this.#ahead.content : null;
    this.#ahead = null;
    await this.#show(ahead?.article ?? (await readArticle(this.#api, this.#project.id, next)));
    this.#readAhead();
  }

  #showEnd() {
    this.#heading.update();
    showNotice("end", "All articles are confirmed. You can close the page.", {
      kind: "info",
      actions: [{ label: "First article", run: () => this.open(1) }],
    });
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

  /** Return the actions that are not changes to the open article alone. */
  #pageActions() {
    const withEditor = (run) => (...values) => (this.#editor ? run(...values) : undefined);
    return {
      label: withEditor((name) => this.#chooseLabel(name)),
      confirm: withEditor(() => this.#confirm()),
      withdraw: withEditor(() => this.#withdraw()),
      go: withEditor((step) => this.#go(step)),
      find: withEditor(() => this.#find.open()),
      clear: withEditor(() => this.#clear()),
      panel: (name) => this.#panels.toggle(name),
      region: focusNextRegion,
      logIn: () => this.#access.logInAgain(),
      keys: () => {
        const { labels } = this.#project;
        showKeyMap({ labels, keys: keyGroups(labels) });
      },
    };
  }

  /** Give the label to what is selected; else choose it for what is dragged over next. */
  #chooseLabel(name) {
    if (this.#editor.selection) {
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

  #clear() {
    clearNotice("action");
    if (this.#editor.selection) {
      this.#editor.clear();
    } else {
      this.#arm(null);
    }
  }

  async #go(step) {
    await this.#access.attempt(() => this.#articles.ready());
    const number = this.#articles.numberOf(this.#editor.article.id) + step;
    if (number >= 1 && number <= this.#articles.count) {
      await this.open(number);
    }
  }

  async #confirm() {
    const { article } = this.#editor;
    if (!article.isConfirmed) {
      article.isConfirmed = true;
      this.#articles.setConfirmed(article.id, true);
      this.#heading.finish();
      this.#save(this.#editor, true);
    }
    await this.#access.attempt(() => this.#openNext());
  }

  #withdraw() {
    const { article } = this.#editor;
    if (article.isConfirmed) {
      article.isConfirmed = false;
      this.#articles.setConfirmed(article.id, false);
      this.#save(this.#editor, false);
      this.#heading.update();
      this.#render();
    }
  }

  // -- saving -------------------------------------------------------------------------------

  #createSaver() {
    const drafts = new Drafts(this.#project.user.id, this.#project.id);
    return new Saver(this.#api, this.#project, drafts, {
      onState: (state) => showState(state, !this.#saver?.wouldLoseWork),
      logIn: () => this.#access.logInAgain(),
      chooseVersion,
      onTheirs: (id, spans) => this.#editors.get(id)?.replaceSpans(spans),
      onBlocked: (id, message) => showBlocked(message, () => this.#saver.retry()),
      onSaved: (id) => {
        clearNotice("blocked");
        this.#tabs.saved(id);
      },
    });
  }

  #save(editor, isConfirmed = null) {
    const { article, spans, text } = editor;
    // Suggestions of a model stay on the page until they are accepted or the article is confirmed.
    const wanted = article.isConfirmed ? spans : spans.filter((span) => !span.isProposed);
    this.#saver.save(article.id, { text, wanted, isConfirmed });
  }

  #warnOfOtherTab() {
    showNotice(
      "tab",
      "This article is open in another tab or window too. Work in one of them only.",
      { kind: "warning" },
    );
  }

  /** Show the server's spans of an article that is open if they were changed elsewhere. */
  async #refresh(id) {
    const editor = this.#editor;
    if (!editor || editor.article.id !== id || this.#saver.unsaved(id)) {
      return;
    }
    let stored;
    try {
      ({ stored } = await this.#read(editor.article));
    } catch {
      return;
    }
    if (!this.#saver.unsaved(id) && !haveSameSpans(this.#saver.stored(id), stored)) {
      this.#saver.setStored(id, stored);
      editor.replaceSpans(stored);
      showNotice("changed", "This article was changed elsewhere; the newest spans are shown.", {
        kind: "warning",
      });
    }
  }
}
