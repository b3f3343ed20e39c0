/** Marking with the mouse, a pen or a finger, on the words of the article. */

import { overlapping, spanAt } from "./spans.js";
import { trim, wholeCharacters } from "./words.js";

/**
 * Listen to the mouse on an article.
 *
 * @param view the {@link TextView} of the article.
 * @param getEditor returns the open {@link Editor}, or null.
 * @param getArmed returns the name of the label that a drag gives at once, or null.
 */
export function listenToMouse(view, getEditor, getArmed) {
  let pointer = "mouse";
  let isDown = false;

  view.element.addEventListener("pointerdown", (event) => {
    pointer = event.pointerType;
    isDown = event.button === 0;
  });
  view.element.addEventListener("mousedown", (event) => {
    // A drag that begins on selected words would move them instead of selecting others.
    if (event.button === 0 && event.detail === 1 && !event.shiftKey && pointer !== "touch") {
      window.getSelection().removeAllRanges();
    }
  });
  document.addEventListener("mouseup", (event) => {
    const editor = getEditor();
    if (!editor || !isDown || event.button !== 0) {
      return;
    }
    isDown = false;
    const range = selectedRange(view);
    if (range && pointer !== "touch") {
      finishDrag(editor, range, event, getArmed());
    } else if (!range) {
      click(view, editor, event);
    }
  });
  // As on doccano's page. With Shift, browsers show their menu.
  view.element.addEventListener("contextmenu", (event) => {
    const editor = getEditor();
    const span = editor && spanOn(view, editor, event.target);
    if (span && event.button === 2 && !event.shiftKey && pointer !== "touch") {
      event.preventDefault();
      editor.removeSpans([span]);
    }
  });
  // A finger selects with the system's own handles, which end with no event of the mouse.
  document.addEventListener("selectionchange", () => {
    const editor = getEditor();
    const range = pointer === "touch" && editor ? selectedRange(view) : null;
    const words = range && editor.words.snap(...range);
    if (words) {
      editor.select(...words);
    }
  });
}

/** Return start and end of the browser's selection in the text, or null if it is empty. */
export function selectedRange(view) {
  const selection = window.getSelection();
  if (selection.rangeCount === 0 || selection.isCollapsed) {
    return null;
  }
  const range = selection.getRangeAt(0);
  if (!range.intersectsNode(view.element)) {
    return null;
  }
  const start = view.offsetOf(range.startContainer, range.startOffset) ?? 0;
  const end = view.offsetOf(range.endContainer, range.endOffset) ?? view.text.length;
  return start < end ? [start, end] : null;
}

function finishDrag(editor, range, event, armed) {
  const selected = event.altKey ? selectLetters(editor, range) : editor.words.snap(...range);
  if (!selected) {
    editor.clear();
    return;
  }
  const [start, end] = event.detail === 2 ? withPeriod(editor, selected) : selected;
  const touched = overlapping(editor.spans, start, end);
  const [span] = touched;
  if (event.detail > 2) {
    editor.select(start, end);
  } else if (touched.length === 1 && (armed === null || armed === span.label)) {
    const isInside = span.start <= start && end <= span.end;
    if (isInside && event.detail === 2) {
      editor.accept([span]);
      editor.selectSpan(spanAt(editor.spans, span.start));
    } else if (isInside) {
      editor.resize(span, start, end);
    } else {
      editor.resize(span, Math.min(start, span.start), Math.max(end, span.end));
    }
  } else if (armed !== null) {
    editor.add(start, end, armed);
  } else {
    editor.select(start, end);
  }
}

function selectLetters(editor, range) {
  const trimmed = trim(editor.text, ...range);
  return trimmed && wholeCharacters(editor.text, ...trimmed);
}

/** Extend a word that is an abbreviation to its period. */
function withPeriod(editor, [start, end]) {
  const index = editor.words.indexAt(start);
  const bounds = index < editor.words.count ? editor.words.bounds(index) : null;
  return bounds && bounds[0] === start ? [start, Math.max(end, bounds[1])] : [start, end];
}

function click(view, editor, event) {
  const span = spanOn(view, editor, event.target);
  if (span) {
    editor.selectSpan(span);
    return;
  }
  const offset = view.offsetAt(event.clientX, event.clientY);
  const index = offset === null ? editor.words.count : editor.words.indexAt(offset);
  for (const candidate of [index, index - 1]) {
    if (candidate >= 0 && candidate < editor.words.count) {
      const bounds = editor.words.bounds(candidate);
      if (isOn(view.range(...bounds), event)) {
        editor.select(...bounds, candidate);
        return;
      }
    }
  }
  editor.clear();
}

/** Return the span that an element of the page shows, or null. */
function spanOn(view, editor, element) {
  const mark = element.closest?.("mark.span");
  if (!mark || !view.element.contains(mark)) {
    return null;
  }
  return editor.spans.find((span) => spanKey(span) === mark.dataset.key) ?? null;
}

function isOn(range, { clientX, clientY }) {
  return [...range.getClientRects()].some(
    (box) =>
      box.left <= clientX && clientX <= box.right && box.top <= clientY && clientY <= box.bottom,
  );
}

/** Return the key under which the view draws a span. */
export function spanKey(span) {
  return `${span.start}-${span.end}`;
}
