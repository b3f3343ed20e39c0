/** The unsaved work on one article. */

/**
 * What the {@link Saver} knows about an article until the server has everything.
 *
 * - `stored`: the spans that the server is known to hold.
 * - `wanted`: the spans that it shall hold.
 * - `isConfirmed`: whether the article shall be confirmed; null to leave it as it is.
 * - `pending`: the change that was sent last, which may have arrived without an answer.
 * - `isUncertain`: whether `stored` must be read again before anything is sent.
 * - `failures`: how often it could not be sent since it was changed; `failure` says why.
 */
export class ArticleWork {
  wasRefused = false;
  isBlocked = false;
  failures = 0;
  failure = "";

  constructor(
    id,
    { text, stored, wanted, isConfirmed = null, pending = null, isUncertain = false },
  ) {
    Object.assign(this, { id, text, stored, wanted, isConfirmed, pending, isUncertain });
  }
}
