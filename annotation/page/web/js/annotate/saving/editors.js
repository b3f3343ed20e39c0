/** Reads articles with their spans, and keeps their editors so that changes can be undone later. */

import { listSpans, readArticle } from "../../doccano.js";
import { Editor } from "../editing/editor.js";
import { haveSameSpans } from "./changes.js";

/** The editors of the articles that were opened. */
export class Editors {
  #api;
  #project;
  #saver;
  #callbacks;
  #known = new Map();
  /** The article that is opened next, `{id, content}`, read while the annotator works. */
  #ahead = null;

  /**
   * @param api an {@link Api}.
   * @param project as `loadProject` returns it.
   * @param saver the {@link Saver}.
   * @param callbacks `onChange(editor)` after spans changed by an action, `onShow(editor)` after
   *   anything that is visible.
   */
  constructor(api, project, saver, callbacks) {
    this.#api = api;
    this.#project = project;
    this.#saver = saver;
    this.#callbacks = callbacks;
  }

  /** Return the editor of an article that was opened before, or undefined. */
  find(id) {
    return this.#known.get(id);
  }

  /** Read the spans of an article, and both again if it was saved meanwhile. */
  async read(article) {
    for (;;) {
      const revision = this.#saver.revision(article.id);
      const stored = await listSpans(this.#api, this.#project, article);
      if (revision === this.#saver.revision(article.id)) {
        return { article, stored, revision };
      }
      article = await readArticle(this.#api, this.#project.id, article.id);
    }
  }

  /** Read an article now, so that it opens at once later, and without a connection. */
  readAhead(id) {
    if (id && id !== this.#ahead?.id) {
      this.#ahead = { id, content: this.#readById(id).catch(() => null) };
    }
  }

  /** Return an article with its spans: those that were read ahead, unless it was saved since. */
  async take(id) {
    const ahead = id === this.#ahead?.id ? await this.#ahead.content : null;
    this.#ahead = null;
    return ahead?.revision === this.#saver.revision(id) ? ahead : this.#readById(id);
  }

  /** Return the editor that an article had before if the server still has the same spans. */
  editorOf(article, spans) {
    const known = this.#known.get(article.id);
    if (known && known.text === article.text && haveSameSpans(known.savedSpans, spans)) {
      known.article = article;
      known.clear();
      return known;
    }
    const editor = new Editor(article, spans);
    editor.addEventListener("change", () => this.#callbacks.onChange(editor));
    editor.addEventListener("show", () => this.#callbacks.onShow(editor));
    this.#known.set(article.id, editor);
    return editor;
  }

  async #readById(id) {
    return this.read(await readArticle(this.#api, this.#project.id, id));
  }
}
