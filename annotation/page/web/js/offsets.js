/** Conversion of offsets from UTF-16 code units, as in JavaScript, to Unicode code points. */

/** Return a function that converts an offset of a text from UTF-16 units to code points. */
export function codePointOffsets(text) {
  const pairs = [];
  for (const match of text.matchAll(/[\u{10000}-\u{10ffff}]/gu)) {
    pairs.push(match.index);
  }
  return (units) => units - countBelow(pairs, units);
}

/** Return how many of the sorted numbers are less than a limit. */
function countBelow(numbers, limit) {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < limit) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
