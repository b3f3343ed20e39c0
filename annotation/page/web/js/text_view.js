/** Shows an article with its spans, and converts between places on the page and offsets. */

import { codePointOffsets } from "./offsets.js";

/**
 * A text with spans in an element. The element's `textContent` is exactly the text.
 *
 * The text is divided into blocks, one for each line, or for the lines that a span runs across.
 * Only blocks whose spans have changed are drawn again. Offsets are UTF-16 code units.
 */
export class TextView {
  #element;
  #text = "";
  #toCodePoints = (units) => units;
  #lineStarts = [0];
  #blocks = [];

  constructor(element) {
    this.#element = element;
  }

  get text() {
    return this.#text;
  }

  get element() {
    return this.#element;
  }

  setText(text) {
    this.#text = text;
    this.#toCodePoints = codePointOffsets(text);
    this.#lineStarts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
      if (at + 1 < text.length) {
        this.#lineStarts.push(at + 1);
      }
    }
    this.#blocks = [];
    this.#element.replaceChildren();
  }

  /**
   * Draw spans: `{key, start, end, label, color, classes, data}`, where `classes` are added to the
   * element, and `data` to its data attributes.
   *
   * Spans that overlap another one or are outside the text are not drawn.
   */
  setSpans(spans) {
    const drawn = drawable(spans, this.#text.length);
    const old = new Map(this.#blocks.map((block) => [block.start, block]));
    let index = 0;
    const blocks = this.#divide(drawn).map(([start, end]) => {
      const inside = [];
      while (index < drawn.length && drawn[index].start < end) {
        inside.push(drawn[index++]);
      }
      const before = old.get(start);
      old.delete(start);
      const signature = JSON.stringify(inside);
      if (before && before.end === end && before.signature === signature) {
        return before;
      }
      // A new element, or one that is moved, has an estimated height until the next frame: the words
      // under the mouse would jump.
      const element = before?.element ?? this.#createBlock();
      element.replaceChildren(...this.#contentOf(start, end, inside));
      return { start, end, element, signature };
    });
    for (const { element } of old.values()) {
      element.remove();
    }
    let next = this.#element.firstChild;
    for (const { element } of blocks) {
      if (element === next) {
        next = next.nextSibling;
      } else {
        this.#element.insertBefore(element, next);
      }
    }
    this.#blocks = blocks;
  }

  /** Return the offset of a place in the DOM, or null outside the text. */
  offsetOf(node, offset) {
    if (!this.#element.contains(node)) {
      return null;
    }
    const block = this.#blocks.find((candidate) => candidate.element.contains(node));
    const range = document.createRange();
    range.setStart(block ? block.element : this.#element, 0);
    range.setEnd(node, offset);
    return (block ? block.start : 0) + range.toString().length;
  }

  /** Return the DOM range of two offsets. */
  range(start, end) {
    const range = document.createRange();
    range.setStart(...this.#place(start, false));
    range.setEnd(...this.#place(end, true));
    return range;
  }

  /** Return the offset of the character at a point of the viewport, or null. */
  offsetAt(x, y) {
    if (document.caretPositionFromPoint) {
      const caret = document.caretPositionFromPoint(x, y);
      return caret && this.offsetOf(caret.offsetNode, caret.offset);
    }
    const range = document.caretRangeFromPoint(x, y);
    return range && this.offsetOf(range.startContainer, range.startOffset);
  }

  /** Scroll so that a part of the text is in sight, in the middle if it was out of sight. */
  reveal(start, end) {
    const box = this.range(start, end).getBoundingClientRect();
    const top = document.getElementById("header")?.getBoundingClientRect().bottom ?? 0;
    const bottom = window.innerHeight - 60;
    if (box.top < top || box.bottom > bottom) {
      window.scrollBy({ top: box.top - (top + bottom) / 2, behavior: "instant" });
    }
  }

  /** Return the start and end of each block. */
  #divide(spans) {
    const starts = this.#lineStarts;
    const bounds = [];
    let index = 0;
    for (let line = 0; line < starts.length; ) {
      const start = starts[line];
      let end = starts[++line] ?? this.#text.length;
      while (index < spans.length && spans[index].start < end) {
        while (spans[index].end > end) {
          end = starts[++line] ?? this.#text.length;
        }
        index++;
      }
      bounds.push([start, end]);
    }
    return bounds;
  }

  #createBlock() {
    const block = document.createElement("div");
    block.className = this.#blocks.length ? "block changed" : "block";
    block.dir = "auto";
    return block;
  }

  #contentOf(start, end, spans) {
    const content = [];
    let at = start;
    for (const span of spans) {
      content.push(this.#text.slice(at, span.start), this.#drawSpan(span));
      at = span.end;
    }
    return [...content, this.#text.slice(at, end)];
  }

  #drawSpan(span) {
    const mark = document.createElement("mark");
    mark.className = ["span", ...(span.classes ?? [])].join(" ");
    Object.assign(mark.dataset, {
      key: span.key,
      label: span.label,
      start: this.#toCodePoints(span.start),
      end: this.#toCodePoints(span.end),
      ...span.data,
    });
    mark.style.setProperty("--label", span.color);
    mark.textContent = this.#text.slice(span.start, span.end);
    return mark;
  }

  /** Return the text node and offset in it; at a border of nodes, the end of the first if `isEnd`. */
  #place(offset, isEnd) {
    const block = this.#blockOf(isEnd ? Math.max(offset - 1, 0) : offset);
    if (!block) {
      return [this.#element, 0];
    }
    const walker = document.createTreeWalker(block.element, NodeFilter.SHOW_TEXT);
    let at = block.start;
    let last = [block.element, 0];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const end = at + node.data.length;
      if (offset < end || (isEnd && offset === end)) {
        return [node, Math.max(offset - at, 0)];
      }
      at = end;
      last = [node, node.data.length];
    }
    return last;
  }

  #blockOf(offset) {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#blocks[middle].start <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return this.#blocks[low];
  }
}

/** Return the spans that can be drawn, in order and without overlap. */
function drawable(spans, length) {
  const drawn = [];
  let free = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (span.start >= free && span.start < span.end && span.end <= length) {
      drawn.push(span);
      free = span.end;
    }
  }
  return drawn;
}
