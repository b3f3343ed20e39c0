/** Moving the word cursor and the borders of selections and spans with the keyboard. */

import { spanAt } from "./spans.js";

/** Moves through the words of an article: the selected word is the cursor. */
export class Cursor {
  #view;
  #editor;

  constructor(view, editor) {
    this.#view = view;
    this.#editor = editor;
  }

  /** Select the next word, or the one before if `step` is -1. */
  moveByWord(step) {
    this.#moveTo(this.#neighbor(step));
  }

  /** Select the next word without a span that begins with a capital letter or has a digit. */
  moveToCandidate(step) {
    const { words, spans } = this.#editor;
    let index = this.#neighbor(step);
    while (
      index >= 0 &&
      index < words.count &&
      (!words.isCandidate(index) || spanAt(spans, words.bounds(index)[0]))
    ) {
      index += step;
    }
    this.#moveTo(index);
  }

  /** Select the first word of the next paragraph, or of the one before. */
  moveByParagraph(step) {
    const { text, words } = this.#editor;
    const index = this.#neighbor(step);
    const at = index >= 0 && index < words.count ? words.bounds(index)[0] : text.length;
    let start = step > 0 ? text.indexOf("\n", at) : text.lastIndexOf("\n", at - 1);
    if (step > 0 && start < 0) {
      start = text.length;
    }
    this.#moveTo(Math.min(words.indexAt(start + 1), words.count - 1));
  }

  /** Select the word above or below. */
  moveByLine(step) {
    const { selection, words } = this.#editor;
    if (!selection) {
      this.#moveTo(this.#neighbor(step));
      return;
    }
    this.#view.reveal(...selection);
    const [box] = this.#view.range(...selection).getClientRects();
    const height = parseFloat(getComputedStyle(this.#view.element).lineHeight) || box.height;
    const current = words.indexAt(selection[0]);
    // Blank lines lie between paragraphs.
    for (let lines = 1; lines <= 4; lines++) {
      const y = box.top + box.height / 2 + step * lines * height;
      const offset = this.#view.offsetAt(box.left + 2, y);
      const index = offset === null ? current : Math.min(words.indexAt(offset), words.count - 1);
      if ((index - current) * step > 0) {
        this.#moveTo(index);
        return;
      }
    }
  }

  /** Move a border by a word: `border` is "end" or "start". */
  extendByWord(step, border) {
    const { selection, selected, anchor, words } = this.#editor;
    if (words.count === 0) {
      return;
    }
    if (!selection) {
      this.moveByWord(step);
    } else if (border === "start") {
      const index = step < 0 ? words.indexAt(selection[0]) - 1 : words.indexAt(selection[0]) + 1;
      this.#setBorders(words.bounds(this.#limit(index))[0], selection[1]);
    } else if (selected || anchor === null) {
      const index = words.indexBefore(selection[1]) + step;
      this.#setBorders(selection[0], words.bounds(this.#limit(index))[1]);
    } else {
      this.#extendFrom(anchor, step);
    }
  }

  /** Move a border by a letter. */
  extendByLetter(step, border) {
    const { selection, text } = this.#editor;
    if (!selection) {
      return;
    }
    const move = (offset) => (step > 0 ? letterAfter(text, offset) : letterBefore(text, offset));
    const isStart = border === "start";
    let offset = selection[isStart ? 0 : 1];
    // Blanks are passed over, so that no span begins or ends with one.
    do {
      const next = move(offset);
      if (next === offset) {
        return;
      }
      offset = next;
    } while (isBlank(text, isStart ? offset : letterBefore(text, offset)));
    this.#setBorders(...(isStart ? [offset, selection[1]] : [selection[0], offset]));
  }

  #setBorders(start, end) {
    const editor = this.#editor;
    if (start >= end) {
      return;
    }
    if (editor.selected) {
      editor.resize(editor.selected, start, end);
    } else {
      editor.select(start, end);
    }
    this.#view.reveal(start, end);
  }

  #extendFrom(anchor, step) {
    const { selection, words } = this.#editor;
    const isBefore = selection[0] < words.bounds(anchor)[0];
    const focus = isBefore ? words.indexAt(selection[0]) : words.indexBefore(selection[1]);
    const next = this.#limit(focus + step);
    const start = words.bounds(Math.min(anchor, next))[0];
    const end = words.bounds(Math.max(anchor, next))[1];
    this.#editor.select(start, end, anchor);
    this.#view.reveal(...words.bounds(next));
  }

  /** Return the index of the word behind or before the selection. */
  #neighbor(step) {
    const { selection, words } = this.#editor;
    if (selection) {
      return step > 0 ? words.indexAt(selection[1]) : words.indexAt(selection[0]) - 1;
    }
    return this.#firstVisible();
  }

  #firstVisible() {
    const box = this.#view.element.getBoundingClientRect();
    const top = document.getElementById("header").getBoundingClientRect().bottom;
    const offset = box.top >= top ? 0 : this.#view.offsetAt(box.left + 8, top + 12);
    return this.#editor.words.indexAt(offset ?? 0);
  }

  #moveTo(index) {
    const { words } = this.#editor;
    if (words.count === 0) {
      return;
    }
    const place = this.#limit(index);
    const span = spanAt(this.#editor.spans, words.bounds(place)[0]);
    if (span) {
      this.#editor.selectSpan(span);
    } else {
      this.#editor.select(...words.bounds(place), place);
    }
    this.#view.reveal(...this.#editor.selection);
  }

  #limit(index) {
    return Math.max(0, Math.min(index, this.#editor.words.count - 1));
  }
}

function isBlank(text, offset) {
  return offset < text.length && text[offset].trim() === "";
}

function letterAfter(text, offset) {
  const [letter] = new Intl.Segmenter().segment(text.slice(offset, offset + 60));
  return offset + (letter?.segment.length ?? 0);
}

function letterBefore(text, offset) {
  const start = Math.max(0, offset - 60);
  const letters = [...new Intl.Segmenter().segment(text.slice(start, offset))];
  return letters.length ? start + letters.at(-1).index : offset;
}
