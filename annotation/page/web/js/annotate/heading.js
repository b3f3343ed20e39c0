/** The line above the article, the progress, and the address of the page. */

import { Pace, progressText } from "../panels/progress.js";

/** Shows which article is open and how far the annotator is. */
export class Heading {
  #project;
  #articles;
  #pace;
  #article = null;

  /**
   * @param project as `loadProject` returns it.
   * @param articles the {@link Articles}.
   */
  constructor(project, articles) {
    this.#project = project;
    this.#articles = articles;
    this.#pace = new Pace(`orbat-pace/${project.user.id}`);
  }

  /**
   * Show an article that was opened.
   *
   * @param number its position counted from 1; null if it is not known yet.
   * @param words the number of its words.
   */
  show(article, number, words) {
    this.#article = article;
    const { title, source, date, document: name } = article.meta;
    const heading = title ?? name ?? `Article ${article.id}`;
    setText("title", heading);
    setText("source", [source, date].filter(Boolean).join(" · "));
    document.title = `${heading} · ${this.#project.name}`;
    this.#pace.startArticle(words);
    this.#setAddress(this.#articles.numberOf(article.id) || number);
    this.update();
  }

  /** Count the open article as done. */
  finish() {
    this.#pace.finishArticle();
  }

  /** Show the progress as it is now. */
  update() {
    if (!this.#article || !this.#articles.count) {
      return;
    }
    const position = this.#articles.numberOf(this.#article.id);
    setText(
      "progress",
      progressText({
        position,
        count: this.#articles.count,
        confirmed: this.#articles.confirmedCount,
        hours: this.#pace.hoursFor(this.#articles.openWords),
      }),
    );
    document.getElementById("previous").disabled = position <= 1;
    document.getElementById("next").disabled = position >= this.#articles.count;
    if (history.state === null) {
      this.#setAddress(position);
    }
  }

  /** Name the article in the address, so that it can be shared, and go back leads to it. */
  #setAddress(number) {
    if (!number || history.state?.number === number) {
      return;
    }
    const path = `/orbat/annotate/${this.#project.id}/${number}`;
    if (history.state === null) {
      history.replaceState({ number }, "", path);
    } else {
      history.pushState({ number }, "", path);
    }
  }
}

function setText(id, text) {
  document.getElementById(id).textContent = text;
}
