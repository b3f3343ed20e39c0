/** Words of a text, and how selections snap to them. Offsets are UTF-16 code units. */

const RUN = /[\p{L}\p{N}][\p{L}\p{M}\p{N}\u00ad\u200c\u200d]*/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const ABBREVIATIONS = new Set(
  "Adm Brig Capt Cdr Cmdr Col Cpl Dr Fr Gen Lt Maj Mr Mrs Ms No Pvt Rev Sgt St".split(" "),
);

/** The words of a text: runs of letters and digits. */
export class Words {
  #text;
  #words;
  #abbreviations = new Set(ABBREVIATIONS);

  constructor(text) {
    this.#text = text;
    this.#words = [...findWords(text)];
  }

  get count() {
    return this.#words.length;
  }

  /**
   * Return start and end of a word. The period of an abbreviation belongs to it.
   */
  bounds(index) {
    const [start, end] = this.#words[index];
    const isAbbreviation =
      this.#text[end] === "." && this.#abbreviations.has(this.#text.slice(start, end));
    return [start, isAbbreviation ? end + 1 : end];
  }

  /** Learn abbreviations from spans that end with a period. */
  learn(spans) {
    for (const { start, end } of spans) {
      for (const match of this.#text.slice(start, end).matchAll(/([\p{L}\p{M}]+)\./gu)) {
        this.#abbreviations.add(match[1]);
      }
    }
  }

  /** Return the index of the first word that ends behind an offset; `count` if there is none. */
  indexAt(offset) {
    let low = 0;
    let high = this.#words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#words[middle][1] <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Return the index of the last word that begins before an offset; -1 if there is none. */
  indexBefore(offset) {
    const index = this.indexAt(offset);
    return this.#words[index]?.[0] < offset ? index : index - 1;
  }

  /** Return whether a word begins with a capital letter or contains a digit. */
  isCandidate(index) {
    const [start, end] = this.#words[index];
    return /^\p{Lu}|\p{N}/u.test(this.#text.slice(start, end));
  }

  /** Remove white space at the ends, and extend a selection to whole words; null if it is blank. */
  snap(start, end) {
    const trimmed = trim(this.#text, start, end);
    if (!trimmed) {
      return null;
    }
    const first = this.#words[this.indexAt(trimmed[0])];
    const last = this.#words[this.indexAt(trimmed[1] - 1)];
    return [
      first && first[0] < trimmed[0] ? first[0] : trimmed[0],
      last && last[0] < trimmed[1] ? Math.max(last[1], trimmed[1]) : trimmed[1],
    ];
  }

  /** Return start and end of every occurrence of a phrase that is not a part of longer words. */
  occurrences(phrase) {
    const found = [];
    for (let at = this.#text.indexOf(phrase); at >= 0; at = this.#text.indexOf(phrase, at + 1)) {
      const end = at + phrase.length;
      if (!this.#isInsideWord(at) && !this.#isInsideWord(end)) {
        found.push([at, end]);
      }
    }
    return found;
  }

  #isInsideWord(offset) {
    const word = this.#words[this.indexAt(offset)];
    return word !== undefined && word[0] < offset && offset < word[1];
  }
}

/** Return a selection without white space at its ends; null if nothing is left. */
export function trim(text, start, end) {
  const part = text.slice(start, end);
  const left = part.length - part.trimStart().length;
  const length = part.trim().length;
  return length ? [start + left, start + left + length] : null;
}

/** Extend a selection to whole characters as readers see them, so that no emoji is cut. */
export function wholeCharacters(text, start, end) {
  const line = text.lastIndexOf("\n", start - 1) + 1;
  let bounds = [start, end];
  for (const { index, segment } of new Intl.Segmenter().segment(
    text.slice(line, end + 50),
  )) {
    const from = line + index;
    const to = from + segment.length;
    if (from < start && start < to) {
      bounds = [from, bounds[1]];
    }
    if (from < end && end <= to) {
      return [bounds[0], to];
    }
  }
  return bounds;
}

function* findWords(text) {
  for (const match of text.matchAll(RUN)) {
    if (!UNSPACED.test(match[0])) {
      yield [match.index, match.index + match[0].length];
      continue;
    }
    // These scripts put no blanks between words.
    const segments = new Intl.Segmenter(undefined, { granularity: "word" }).segment(match[0]);
    for (const { index, segment } of segments) {
      yield [match.index + index, match.index + index + segment.length];
    }
  }
}
