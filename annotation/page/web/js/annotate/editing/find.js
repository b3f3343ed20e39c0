/** Finds words in the article. */

/** A field that selects the next occurrence of what is typed in it. */
export class Find {
  #form;
  #input;
  #getEditor;
  #onFound;
  #from = 0;

  /**
   * @param form the element with an input.
   * @param getEditor returns the open {@link Editor}.
   * @param onFound called with start and end of the words that were found.
   */
  constructor(form, getEditor, onFound) {
    this.#form = form;
    this.#input = form.querySelector("input");
    this.#getEditor = getEditor;
    this.#onFound = onFound;
    this.#input.addEventListener("input", () => this.#search(this.#from));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.close();
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
    this.#form.hidden = true;
    document.getElementById("text").focus({ preventScroll: true });
  }

  /** Select the first occurrence behind an offset, else the first of the article. */
  #search(from) {
    const phrase = this.#input.value.toLowerCase();
    const { text } = this.#getEditor();
    const lower = text.toLowerCase();
    // Some letters have more code units in lower case; offsets would not fit then.
    const searched = lower.length === text.length ? lower : text;
    let at = phrase ? searched.indexOf(phrase, from) : -1;
    if (phrase && at < 0) {
      at = searched.indexOf(phrase);
    }
    this.#input.setAttribute("aria-invalid", String(phrase !== "" && at < 0));
    if (at >= 0) {
      this.#onFound(at, at + phrase.length);
    }
  }

  #next(step) {
    const [start, end] = this.#getEditor().selection ?? [0, 0];
    if (step > 0) {
      this.#search(end);
      return;
    }
    const phrase = this.#input.value.toLowerCase();
    const at = this.#getEditor().text.toLowerCase().lastIndexOf(phrase, start - 1);
    if (phrase && start > 0 && at >= 0) {
      this.#onFound(at, at + phrase.length);
    }
  }
}
