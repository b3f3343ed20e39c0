/** Growing pauses between attempts. */

/** Pauses that double up to a longest one, and end at once when the browser is online again. */
export class Backoff {
  #first;
  #longest;
  #delay;
  #end = () => {};

  /**
   * @param first milliseconds of the first pause.
   * @param longest milliseconds that no pause exceeds.
   */
  constructor(first, longest) {
    this.#first = first;
    this.#longest = longest;
    this.#delay = first;
  }

  /** Return the milliseconds of the next pause. */
  next() {
    const delay = this.#delay;
    this.#delay = Math.min(2 * delay, this.#longest);
    return delay;
  }

  /** Pause; the next pause is longer. */
  pause() {
    return new Promise((resolve) => {
      this.#end = () => {
        clearTimeout(timer);
        window.removeEventListener("online", this.#end);
        resolve();
      };
      const timer = setTimeout(this.#end, this.next());
      window.addEventListener("online", this.#end);
    });
  }

  /** End the present pause. */
  end() {
    this.#end();
  }

  /** Begin with the first pause again, because an attempt was successful. */
  reset() {
    this.#delay = this.#first;
  }
}
