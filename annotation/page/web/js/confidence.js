/** The confidence of a suggestion, from 0 to 1, as the pages show it. */

const LOW = 0.6;

/** Return whether a suggestion deserves a closer look; `score` may be null. */
export function isUncertain(score) {
  return score !== null && score < LOW;
}

/** Return a confidence in percent; "" for null. */
export function percent(score) {
  return score === null ? "" : `${Math.round(100 * score)}%`;
}
