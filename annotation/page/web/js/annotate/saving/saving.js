/** Brings the work of the page and that on the server together, and says what happens. */

import { showNotice } from "../../notices.js";
import { haveSameSpans } from "./changes.js";
import { Drafts } from "./drafts.js";
import { Editors } from "./editors.js";
import { Saver } from "./saver.js";
import { chooseVersion, clearBlocked, showBlocked, showState } from "./state.js";
import { Tabs } from "./tabs.js";

/** Saves what editors change, and shows what was changed elsewhere. */
export class Saving {
  #access;
  #articles;
  #getEditor;
  #saver;
  #tabs;

  /**
   * @param {object} parts
   * @param parts.api an {@link Api}.
   * @param parts.project as `loadProject` returns it.
   * @param parts.access the {@link Access}.
   * @param parts.articles the {@link Articles}.
   * @param parts.getEditor returns the open {@link Editor}, or null.
   * @param parts.onShow called with an editor after anything that is visible.
   */
  constructor({ api, project, access, articles, getEditor, onShow }) {
    this.#access = access;
    this.#articles = articles;
    this.#getEditor = getEditor;
    const drafts = new Drafts(project.user.id, project.id);
    this.#saver = new Saver(api, project, drafts, this.#callbacks());
    this.editors = new Editors(api, project, this.#saver, {
      onChange: (editor) => this.save(editor),
      onShow,
    });
    this.#tabs = new Tabs({
      onShared: () => warnOfOtherTab(),
      onSaved: (id) => this.refresh(id),
    });
  }

  /** Resolves when the work of pages that were closed is known. */
  get ready() {
    return this.#saver.ready;
  }

  /** Whether closing the page would lose unsaved work. */
  get wouldLoseWork() {
    return this.#saver.wouldLoseWork;
  }

  /** Return the editor of an article that is opened, with the work that is not saved yet. */
  editorOf(article, stored) {
    const unsaved = this.#saver.unsaved(article.id);
    article.isConfirmed = unsaved?.isConfirmed ?? article.isConfirmed;
    this.#saver.setStored(article.id, stored);
    this.#tabs.show(article.id);
    return this.editors.editorOf(article, unsaved?.wanted ?? stored);
  }

  /** Save the spans of an editor; `isConfirmed` is null to leave the confirmation as it is. */
  save(editor, isConfirmed = null) {
    const { article, text, savedSpans } = editor;
    this.#saver.save(article.id, { text, wanted: savedSpans, isConfirmed });
  }

  /** The page is in sight again: another account or another page may have been at work. */
  async onReturn() {
    try {
      await this.#access.check();
    } catch {
      // The next request that matters asks for a login or tries again.
      return;
    }
    await this.refresh(this.#getEditor()?.article.id);
  }

  /** Show the server's spans of an article that is open if they were changed elsewhere. */
  async refresh(id) {
    const editor = this.#getEditor();
    if (!editor || editor.article.id !== id || this.#saver.unsaved(id)) {
      return;
    }
    let stored;
    try {
      ({ stored } = await this.editors.read(editor.article));
    } catch {
      return;
    }
    const isShown = editor === this.#getEditor() && !this.#saver.unsaved(id);
    if (isShown && !haveSameSpans(this.#saver.stored(id), stored)) {
      this.#saver.setStored(id, stored);
      editor.replaceSpans(stored);
      showNotice("changed", "This article was changed elsewhere; the newest spans are shown.", {
        kind: "warning",
      });
    }
  }

  #callbacks() {
    return {
      onState: (state) => showState(state, !this.#saver?.wouldLoseWork),
      logIn: () => this.#access.logInAgain(),
      checkUser: () => this.#access.check(),
      chooseVersion: (id) => chooseVersion(this.#nameOf(id)),
      onTheirs: (id, spans) => this.editors.find(id)?.replaceSpans(spans),
      onBlocked: (id, message) =>
        showBlocked(id, `${this.#nameOf(id)}: ${message}`, {
          retry: () => this.#saver.retry(),
          discard: () => {
            this.#saver.discard(id);
            location.reload();
          },
        }),
      onSaved: (id) => {
        clearBlocked(id);
        this.#tabs.saved(id);
      },
    };
  }

  /** Return how messages name an article: they may be about one that is not shown. */
  #nameOf(id) {
    const number = this.#articles.numberOf(id);
    return number ? `Article ${number}` : "An article";
  }
}

function warnOfOtherTab() {
  showNotice(
    "tab",
    "This article is open in another tab or window too. Work in one of them only.",
    { kind: "warning" },
  );
}
