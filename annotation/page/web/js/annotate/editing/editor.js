/** The state of an open article, and every action that changes it. */

import {
  accepted,
  overlapping,
  ownSpan,
  removedSuggestions,
  sorted,
  spanAt,
  withSpan,
  withSpans,
  without,
} from "./spans.js";
import { keyOf } from "../saving/changes.js";
import { Words } from "./words.js";

/**
 * An open article with its spans, the selection and the actions that can be undone.
 *
 * Events: "change" after spans changed by an action, "show" after anything else that is visible.
 * Offsets are UTF-16 code units.
 */
export class Editor extends EventTarget {
  #undone = [];
  #done = [];
  #removed;
  /** The span that was added last, while nothing is selected. */
  #added = null;

  /** The spans of the article. */
  spans;
  /** Start and end of the selected words, or null. */
  selection = null;
  /** The end of the selection that stays when it is extended: the index of a word. */
  anchor = null;
  /** The selected span, or null. */
  selected = null;
  /** Whether a confirmation has put all spans on the server, where a withdrawal leaves them. */
  wasConfirmed = false;

  /**
   * @param article as `readArticle` returns it.
   * @param spans as `listSpans` returns them.
   */
  constructor(article, spans) {
    super();
    this.article = article;
    this.text = article.text;
    this.words = new Words(article.text);
    this.spans = spans;
    this.wasConfirmed = article.isConfirmed;
    this.#removed = removedSuggestions(article, spans);
    this.words.learn(spans);
  }

  /** Suggestions that nobody has touched, in the order of the text. */
  get suggestions() {
    return this.article.isConfirmed ? [] : this.spans.filter((span) => span.isSuggestion);
  }

  /**
   * The spans that the server shall hold. Suggestions of a model stay on the page until they are
   * accepted or the article is confirmed.
   */
  get savedSpans() {
    return this.wasConfirmed ? this.spans : this.spans.filter((span) => !span.isProposed);
  }

  /** Suggestions that the annotator deleted, and whose words have no other span now. */
  get rejected() {
    return this.#removed.filter(
      (span) => overlapping(this.spans, span.start, span.end).length === 0,
    );
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Replace the spans by those that the server has; this cannot be undone. */
  replaceSpans(spans) {
    this.#done = [];
    this.#undone = [];
    this.spans = spans;
    this.#removed = removedSuggestions(this.article, spans);
    this.clear();
  }

  // -- selection ----------------------------------------------------------------------------

  /** Select a part of the text; it selects a span too if it is exactly that of the span. */
  select(start, end, anchor = null) {
    this.selection = [start, end];
    this.anchor = anchor;
    this.#added = null;
    this.selected = this.spans.find((span) => span.start === start && span.end === end) ?? null;
    this.#show();
  }

  selectSpan(span) {
    this.select(span.start, span.end);
  }

  clear() {
    this.#added = null;
    this.selection = null;
    this.anchor = null;
    this.selected = null;
    this.#show();
  }

  /** The span that an action is about: the selected one, or the one around the selection. */
  get target() {
    if (this.selected || !this.selection) {
      return this.selected;
    }
    const [start, end] = this.selection;
    const span = spanAt(this.spans, start);
    return span && end <= span.end ? span : null;
  }

  /** Select the next suggestion, or the next span if there is none; `step` is 1 or -1. */
  selectNext(step) {
    const spans = this.suggestions.length ? this.suggestions : this.spans;
    if (!spans.length) {
      return null;
    }
    const [start, end] = this.selection ?? (step > 0 ? [-1, -1] : [Infinity, Infinity]);
    const next =
      step > 0
        ? (spans.find((span) => span.start >= end && span.start > start) ?? spans[0])
        : (spans.findLast((span) => span.end <= start) ?? spans.at(-1));
    this.selectSpan(next);
    return next;
  }

  // -- actions ------------------------------------------------------------------------------

  /** Give a label to the selected span, else to the selected words. */
  mark(label) {
    const span = this.target;
    if (span) {
      this.#replace(span, span.start, span.end, label);
    } else if (this.selection) {
      this.#change(withSpan(this.spans, ...this.selection, label));
    }
  }

  /** Add a span, replacing those that it overlaps, and select nothing. */
  add(start, end, label) {
    this.#change(withSpan(this.spans, start, end, label));
    this.clear();
    this.#added = spanAt(this.spans, start);
  }

  /** Give a span other borders. */
  resize(span, start, end) {
    this.#replace(span, start, end, span.label);
  }

  /** Remove the selected span, else those that the selection overlaps. */
  remove() {
    const span = this.target;
    const removed = span ? [span] : overlapping(this.spans, ...(this.selection ?? [0, 0]));
    this.removeSpans(removed);
    return removed.length;
  }

  removeSpans(removed) {
    if (removed.length) {
      this.#change(without(this.spans, removed));
    }
  }

  /** Remove every span with the words and label of the target; return how many. */
  removeAll() {
    const span = this.target;
    if (!span) {
      return 0;
    }
    const words = this.wordsOf(span);
    const same = this.spans.filter(
      (other) => other.label === span.label && this.wordsOf(other) === words,
    );
    this.removeSpans(same);
    return same.length;
  }

  /**
   * Mark the other occurrences of the target's words, or of the span just added; null without one
   * whose label is offered.
   */
  markAll(offered) {
    const span = this.target ?? this.#added;
    if (!span || !offered.has(span.label)) {
      return null;
    }
    const known = new Set(this.spans.map(keyOf));
    const others = this.words
      .occurrences(this.wordsOf(span))
      .map(([start, end]) => ownSpan(start, end, span.label))
      .filter((other) => !known.has(keyOf(other)));
    const { spans, added } = withSpans(accepted(this.spans, [span]), others);
    this.#change(spans);
    return { added, overlapped: others.length - added };
  }

  /** Accept suggestions; return how many. */
  accept(spans) {
    const open = spans.filter((span) => span.isSuggestion);
    if (open.length) {
      this.#change(accepted(this.spans, open));
    }
    return open.length;
  }

  /** Add a suggestion again that was deleted. */
  restore(span) {
    if (overlapping(this.spans, span.start, span.end).length === 0) {
      this.#change(sorted([...this.spans, { ...span, isSuggestion: true }]));
      this.selectSpan(span);
    }
  }

  /**
   * Add suggestions of a model; those that overlap a span or were deleted before are left out.
   *
   * @returns the number of new suggestions.
   */
  propose(suggestions) {
    const gone = new Set(this.#removed.map(keyOf));
    const proposed = suggestions
      .filter((span) => !gone.has(keyOf(span)))
      .map((span) => ({ ...span, isSuggestion: true, isProposed: true }));
    const { spans, added } = withSpans(this.spans, proposed);
    if (added) {
      this.#change(spans);
    }
    return added;
  }

  undo() {
    this.#travel(this.#done, this.#undone);
  }

  redo() {
    this.#travel(this.#undone, this.#done);
  }

  /** Return the words of a span. */
  wordsOf(span) {
    return this.text.slice(span.start, span.end);
  }

  #replace(span, start, end, label) {
    const others = without(this.spans, [span]);
    this.#change(withSpan(others, start, end, label));
    this.select(start, end);
  }

  #change(spans) {
    this.#done.push({ spans: this.spans, removed: this.#removed, selection: this.selection });
    this.#undone = [];
    const removed = this.spans.filter((span) => span.isSuggestion && !spans.includes(span));
    const known = new Set(this.#removed.map(keyOf));
    const fresh = removed.filter((span) => !known.has(keyOf(span)));
    this.#set(spans, sorted([...this.#removed, ...fresh]));
  }

  #travel(from, to) {
    const state = from.pop();
    if (!state) {
      return;
    }
    to.push({ spans: this.spans, removed: this.#removed, selection: this.selection });
    this.#set(state.spans, state.removed);
    if (state.selection) {
      this.select(...state.selection);
    } else {
      this.clear();
    }
  }

  #set(spans, removed) {
    this.#added = null;
    this.words.learn(spans);
    this.spans = spans;
    this.#removed = removed;
    if (this.selection) {
      const [start, end] = this.selection;
      this.selected = spans.find((span) => span.start === start && span.end === end) ?? null;
    }
    this.dispatchEvent(new Event("change"));
    this.#show();
  }

  #show() {
    this.dispatchEvent(new Event("show"));
  }
}
