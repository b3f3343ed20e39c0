/** How far the annotator is, and how long the rest takes at this annotator's pace. */

import { StoredValues } from "../storage.js";

const ARTICLES_KEPT = 50;
const IDLE_MS = 120_000;
const ACTIVITY = ["keydown", "pointerdown", "pointermove", "wheel", "scroll"];

/**
 * Measures the seconds a word that this annotator takes in this browser.
 *
 * Pauses of more than two minutes and the time in which the tab is hidden do not count.
 */
export class Pace {
  #articles;
  #words = null;
  #activeMs = 0;
  #last = null;

  /** @param {string} storageKey the place in the browser's storage, one for each annotator. */
  constructor(storageKey) {
    this.#articles = new StoredValues(storageKey);
    for (const name of ACTIVITY) {
      window.addEventListener(name, () => this.#count(), { passive: true, capture: true });
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        this.#count();
        this.#last = null;
      } else {
        this.#last = Date.now();
      }
    });
  }

  /** Begin with an article of so many words; what was measured of another one is dropped. */
  startArticle(words) {
    this.#words = words;
    this.#activeMs = 0;
    this.#last = document.hidden ? null : Date.now();
  }

  /** End the article because it is confirmed, and keep its pace. */
  finishArticle() {
    if (this.#words === null) {
      return;
    }
    this.#count();
    if (this.#words > 0 && this.#activeMs > 0) {
      const articles = [...this.#read(), { words: this.#words, seconds: this.#activeMs / 1000 }];
      this.#articles.set("", articles.slice(-ARTICLES_KEPT));
    }
    this.#words = null;
  }

  /** Return the hours for so many words, or null as long as no article was confirmed here. */
  hoursFor(words) {
    const articles = this.#read();
    const read = sum(articles.map((article) => article.words));
    const seconds = sum(articles.map((article) => article.seconds));
    return read > 0 ? (words * seconds) / read / 3600 : null;
  }

  #count() {
    const now = Date.now();
    if (this.#last !== null && now - this.#last <= IDLE_MS && now > this.#last) {
      this.#activeMs += now - this.#last;
    }
    if (!document.hidden) {
      this.#last = now;
    }
  }

  #read() {
    const articles = this.#articles.get("") ?? [];
    return articles.filter(({ words, seconds }) => words > 0 && seconds > 0);
  }
}

/**
 * Return the progress in words, as "7 of 50, 12 confirmed, 2 h left at your pace".
 *
 * @param {{position: number, count: number, confirmed: number, hours: number|null}} progress
 */
export function progressText({ position, count, confirmed, hours }) {
  const parts = [`${position} of ${count}`, `${confirmed} confirmed`];
  if (hours !== null && hours > 0 && confirmed < count) {
    parts.push(`${duration(hours)} left at your pace`);
  }
  return parts.join(", ");
}

function duration(hours) {
  const minutes = Math.max(1, Math.round(60 * hours));
  if (minutes < 60) {
    return `${minutes} min`;
  }
  return `${hours < 10 ? Math.round(2 * hours) / 2 : Math.round(hours)} h`;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
