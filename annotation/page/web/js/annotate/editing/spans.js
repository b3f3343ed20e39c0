/**
 * Changes to the spans of an article.
 *
 * Spans are `{start, end, label, isSuggestion, isProposed, score}` with offsets in UTF-16 units,
 * sorted and without overlap. `isSuggestion` is true until the annotator touches the span,
 * `isProposed` while it is not on the server. The functions return new lists.
 */

import { keyOf } from "../saving/changes.js";

/** Return the spans that have a character in common with a range. */
export function overlapping(spans, start, end) {
  return spans.filter((span) => span.start < end && start < span.end);
}

/** Return the span at an offset, or null. */
export function spanAt(spans, offset) {
  return spans.find((span) => span.start <= offset && offset < span.end) ?? null;
}

/** Return a span of the annotator. */
export function ownSpan(start, end, label) {
  return { start, end, label, isSuggestion: false, score: null };
}

/** Add a span of the annotator; those that it overlaps are removed. */
export function withSpan(spans, start, end, label) {
  const others = spans.filter((span) => span.end <= start || end <= span.start);
  return sorted([...others, ownSpan(start, end, label)]);
}

/** Return the spans without the given ones. */
export function without(spans, removed) {
  const gone = new Set(removed);
  return spans.filter((span) => !gone.has(span));
}

/** Return the spans with suggestions as the annotator's own. */
export function accepted(spans, chosen) {
  const touched = new Set(chosen);
  return spans.map((span) =>
    touched.has(span) ? { ...span, isSuggestion: false, isProposed: false } : span,
  );
}

/**
 * Add spans, except those that overlap another one or one added before them.
 *
 * @returns the spans, and the number of those added.
 */
export function withSpans(spans, others) {
  const added = [];
  for (const span of sorted(others)) {
    const { start, end } = span;
    if ((added.at(-1)?.end ?? 0) <= start && overlapping(spans, start, end).length === 0) {
      added.push(span);
    }
  }
  return { spans: sorted([...spans, ...added]), added: added.length };
}

/** Return the suggestions that an article was uploaded with and that are not among its spans. */
export function removedSuggestions(article, spans) {
  const kept = new Set(spans.map(keyOf));
  return (article.meta.suggestions ?? [])
    .map(([start, end, label, score]) => ({ start, end, label, score: score ?? null }))
    .filter((span) => !kept.has(keyOf(span)));
}

/** Return spans in the order of the text. */
export function sorted(spans) {
  return [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
}
