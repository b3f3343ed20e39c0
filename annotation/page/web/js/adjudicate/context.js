/** The words around a conflict, short enough that readings can be compared line by line. */

/**
 * Return `[start, end]` of the part of a text that is shown with each reading.
 *
 * It stays within the paragraph and ends at words. Offsets are UTF-16 code units.
 */
export function contextOf(text, start, end, reach) {
  const paragraphStart = text.lastIndexOf("\n", start - 1) + 1;
  const paragraphEnd = indexOrEnd(text, "\n", end);
  return [
    Math.max(paragraphStart, wordStartBefore(text, start, reach)),
    Math.min(paragraphEnd, wordEndBehind(text, end, reach)),
  ];
}

function wordStartBefore(text, start, reach) {
  const limit = start - reach;
  if (limit <= 0) {
    return 0;
  }
  const blank = text.slice(limit, start).search(/\s\S/);
  return blank < 0 ? start : limit + blank + 1;
}

function wordEndBehind(text, end, reach) {
  const limit = end + reach;
  if (limit >= text.length) {
    return text.length;
  }
  const match = /\S(?=\s\S*$)/.exec(text.slice(end, limit));
  return match ? end + match.index + 1 : end;
}

function indexOrEnd(text, character, from) {
  const index = text.indexOf(character, from);
  return index < 0 ? text.length : index;
}
