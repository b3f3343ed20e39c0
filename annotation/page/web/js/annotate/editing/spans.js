/**
 * Changes to the spans of an article.
 *
 * Spans are `{start, end, label, isSuggestion, isProposed, score}` with offsets in UTF-16 units,
 * sorted and without overlap. `isSuggestion` is true until the annotator touches the span,
 * `isProposed` while it is not on the server. The functions return new lists.
 */

/** Return the spans that have a character in common with a range. */
export function overlapping(spans, start, end) {
  return spans.filter((span) => span.start < end && start < span.end);
}

/** Return the span at an offset, or null. */
export function spanAt(spans, offset) {
  return spans.find((span) => span.start <= offset && offset < span.end) ?? null;
}

/** Add a span of the annotator; those that it overlaps are removed. */
export function withSpan(spans, start, end, label) {
  const others = spans.filter((span) => span.end <= start || end <= span.start);
  return sorted([...others, { start, end, label, isSuggestion: false, score: null }]);
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
 * Add a span with a label at each of the places that no span overlaps.
 *
 * @param places pairs of start and end.
 * @returns the spans, and the numbers of those added and of places that a span overlaps.
 */
export function withSpans(spans, places, label) {
  const free = places.filter(([start, end]) => overlapping(spans, start, end).length === 0);
  const added = free.map(([start, end]) => ({ start, end, label, isSuggestion: false, score: null }));
  return {
    spans: sorted([...spans, ...added]),
    added: added.length,
    overlapped: places.length - free.length,
  };
}

/** Return spans in the order of the text. */
export function sorted(spans) {
  return [...spans].sort((a, b) => a.start - b.start || a.end - b.end);
}
