/**
 * The changes that lead from the spans on the server to those on the page.
 *
 * Spans on the server are `{id, start, end, label, isSuggestion}`, those on the
 * page `{start, end, label, isSuggestion}`. Spans are the same if offsets and label are.
 */

/**
 * Return the next change to send, or null if the server has what the page shows.
 *
 * A change is `{kind: "delete", span}`, `{kind: "relabel", span, label}`, where `span` is that of the
 * server, or `{kind: "create", span}`. Deletions come first, because doccano refuses spans that
 * overlap.
 */
export function nextChange(stored, wanted) {
  const open = new Map(wanted.map((span) => [keyOf(span), span]));
  const unmatched = [];
  let accepted = null;
  for (const span of stored) {
    const same = open.get(keyOf(span));
    if (!same) {
      unmatched.push(span);
      continue;
    }
    open.delete(keyOf(span));
    if (span.isSuggestion && !same.isSuggestion) {
      accepted ??= { kind: "relabel", span, label: span.label };
    } else if (!span.isSuggestion && same.isSuggestion) {
      // Nothing else makes a touched span a suggestion again: it is created anew.
      return { kind: "delete", span };
    }
  }
  const places = new Map([...open.values()].map((span) => [`${span.start}-${span.end}`, span]));
  let relabeled = null;
  for (const span of unmatched) {
    const other = places.get(`${span.start}-${span.end}`);
    if (!other) {
      return { kind: "delete", span };
    }
    relabeled ??= { kind: "relabel", span, label: other.label };
    open.delete(keyOf(other));
  }
  if (relabeled) {
    return relabeled;
  }
  const [created] = open.values();
  return created ? { kind: "create", span: created } : accepted;
}

/** Return whether two lists hold the same spans. */
export function haveSameSpans(left, right) {
  const keys = new Set(left.map(keyOf));
  return left.length === right.length && right.every((span) => keys.has(keyOf(span)));
}

/** Return whether the server, which holds the spans `stored`, has carried out a change. */
export function wasCarriedOut(change, stored) {
  if (change.kind === "create") {
    return stored.some((span) => keyOf(span) === keyOf(change.span));
  }
  const span = stored.find((candidate) => candidate.id === change.span.id);
  return change.kind === "delete" ? !span : span?.label === change.label;
}

/** Return the spans after a change that the server carried out. */
export function applied(stored, { kind, span, label }) {
  if (kind === "create") {
    return [...stored, span];
  }
  if (kind === "delete") {
    return stored.filter((other) => other.id !== span.id);
  }
  const relabeled = { ...span, label, isSuggestion: false };
  return stored.map((other) => (other.id === span.id ? relabeled : other));
}

/** Return a string that is equal for equal spans. */
export function keyOf(span) {
  return `${span.start}-${span.end}-${span.label}`;
}
