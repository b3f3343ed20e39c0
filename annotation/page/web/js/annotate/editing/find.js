/** Finds words in the article. */

/**
 * A field that shows the next occurrence of what is typed in it; Enter selects it.
 *
 * What was found is highlighted and not selected while the field is open, since letters are typed
 * where the browser's selection is.
 */
export class Find {
  #form;
  #input;
  #view;
  #getEditor;
  #from = 0;
  /** Start and end of what was found, or null. */
  #found = null;

  /**
   * @param form the element with an input.
   * @param view the {@link TextView} of the article.
   * @param getEditor returns the open {@link Editor}.
   */
  constructor(form, view, getEditor) {
    this.#form = form;
    this.#input = form.querySelector("input");
    this.#view = view;
    this.#getEditor = getEditor;
    this.#input.addEventListener("input", () => this.#search(this.#from));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#select();
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.close();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        this.#next(event.key === "ArrowDown" ? 1 : -1);
      }
    });
  }

  open() {
    this.#from = this.#getEditor().selection?.[1] ?? 0;
    this.#form.hidden = false;
    this.#input.value = "";
    this.#input.removeAttribute("aria-invalid");
    this.#input.focus();
  }

  close() {
    this.#show(null);
    this.#form.hidden = true;
    document.getElementById("text").focus({ preventScroll: true });
    const { selection, anchor } = this.#getEditor();
    if (selection) {
      this.#getEditor().select(...selection, anchor);
    }
  }

  /** Show the first occurrence behind an offset, else the first of the article. */
  #search(from) {
    const phrase = lowered(this.#input.value);
    const text = lowered(this.#getEditor().text);
    let at = phrase ? text.indexOf(phrase, from) : -1;
    if (phrase && at < 0) {
      at = text.indexOf(phrase);
    }
    this.#input.setAttribute("aria-invalid", String(phrase !== "" && at < 0));
    this.#show(at >= 0 ? [at, at + phrase.length] : null);
  }

  #next(step) {
    const [start, end] = this.#found ?? [0, 0];
    if (step > 0) {
      this.#search(end);
      return;
    }
    const phrase = lowered(this.#input.value);
    const at = lowered(this.#getEditor().text).lastIndexOf(phrase, start - 1);
    if (phrase && start > 0 && at >= 0) {
      this.#show([at, at + phrase.length]);
    }
  }

  #show(found) {
    this.#found = found;
    const ranges = found ? [this.#view.range(...found)] : [];
    CSS.highlights?.set("found", new Highlight(...ranges));
    if (found) {
      this.#view.reveal(...found);
    }
  }

  #select() {
    const found = this.#found;
    this.close();
    if (found) {
      const editor = this.#getEditor();
      editor.select(...(editor.words.snap(...found) ?? found));
      this.#view.reveal(...editor.selection);
    }
  }
}

/** Return a text in lower case, except letters that become longer, as İ: offsets stay the same. */
function lowered(text) {
  const lower = text.toLowerCase();
  if (lower.length === text.length) {
    return lower;
  }
  return text.replace(/\p{Lu}/gu, (letter) => {
    const small = letter.toLowerCase();
    return small.length === letter.length ? small : letter;
  });
}
