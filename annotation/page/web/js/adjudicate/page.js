/** The adjudication page: shows one conflict after another and takes the answers. */

import { clearNotice, showNotice } from "../notices.js";
import { GuidelinesPanel } from "../panels/guidelines.js";
import { showKeyMap } from "../panels/key_map.js";
import { TextView } from "../text_view.js";
import { readAnswer } from "./answers.js";
import { articleSpans, questionOf } from "./article.js";
import { Comments } from "./comments.js";
import { Delivery } from "./delivery.js";
import { KEY_GROUPS, listenToKeys } from "./keyboard.js";
import { showEnd, showMarkedLater, showUnusable } from "./messages.js";
import { showPosition } from "./position.js";
import { BY_HAND } from "./questions.js";
import { Readings } from "./readings.js";
import { Round } from "./round.js";
import { WaitingAnswers } from "./waiting_answers.js";

const element = (id) => document.getElementById(id);

export class AdjudicationPage {
  #api;
  #project;
  #categoryIds;
  #unusable;
  #colors;
  #round;
  #delivery;
  #view = new TextView(element("text"));
  #readings;
  #comments = new Comments(element("comments"));
  #guidelines = new GuidelinesPanel(element("panel"));
  #current = null;
  #preview = null;
  #areNamesShown = false;

  /**
   * @param api an {@link Api}.
   * @param round the project as `loadProject` returns it, with its `questions`, the numbers of the
   *   `unusable` ones, and the `categoryIds` of the answers.
   */
  constructor(api, { project, categoryIds, questions, unusable }) {
    this.#api = api;
    this.#project = project;
    this.#categoryIds = categoryIds;
    this.#unusable = unusable;
    this.#colors = new Map(project.labels.map((label) => [label.name, label.color]));
    const waiting = new WaitingAnswers(project.id, project.user.id);
    this.#round = new Round(questions, waiting);
    this.#delivery = new Delivery({
      ...{ api, project, categoryIds, waiting },
      round: this.#round,
      onChange: () => this.#redraw(),
    });
    this.#readings = new Readings(element("readings"), {
      choose: (answer) => this.#choose(answer),
      preview: (answer) => this.#look(answer),
      consult: (answer) => this.#consult(answer),
    });
    this.#guidelines.setGuidelines(project.guidelines);
    this.#listen();
  }

  /** Show the question with a number of doccano, or the first open one if it is null. */
  open(number) {
    const { questions } = this.#round;
    showUnusable(this.#project.id, this.#unusable);
    this.#delivery.start();
    if (questions.length === 0) {
      if (this.#unusable.length === 0) {
        showNotice("end", "There are no conflicts in this project.");
      }
      return;
    }
    const wanted = number && questions.find((question) => question.number === number);
    this.#show(wanted || this.#round.nextOpen(questions.at(-1)) || questions[0], { isNew: false });
  }

  // -- display -------------------------------------------------------------------------------

  #show(question, { isNew = true } = {}) {
    const before = this.#current;
    this.#current = question;
    this.#preview = null;
    const path = `/orbat/adjudicate/${this.#project.id}/${question.number}`;
    if (isNew && location.pathname !== path) {
      history.pushState(null, "", path);
    } else {
      history.replaceState(null, "", path);
    }
    if (before?.article !== question.article) {
      this.#showArticle(question.article);
      this.#readStored(this.#round.questionsOf(question.article).filter((other) => other.isConfirmed));
    }
    this.#readStored([question]);
    this.#draw();
    this.#center();
  }

  #showArticle(article) {
    const { title, source, date, text } = article;
    element("title").textContent = title || article.id;
    element("source").textContent = [source, date].filter(Boolean).join(" · ");
    document.title = `${title || article.id} · Adjudicate`;
    this.#view.setText(text);
    this.#comments.show(article, this.#areNamesShown);
  }

  #draw() {
    const question = this.#current;
    if (question === null) {
      return;
    }
    const answer = this.#round.answerOf(question);
    this.#drawText();
    const areNamesShown = this.#areNamesShown;
    this.#readings.show(question, { answer, areNamesShown }, this.#colors);
    this.#consult(answer);
    showPosition(this.#round, question);
    showEnd(this.#round.openCount, this.#round.byHandCount);
  }

  #drawText() {
    const { article } = this.#current;
    const state = {
      current: this.#current,
      answerOf: (question) => this.#round.answerOf(question),
      preview: this.#preview,
    };
    const spans = articleSpans(article, this.#round.questionsOf(article), state, this.#colors);
    this.#view.setSpans(spans);
  }

  /** Scroll the conflict into the middle between the header and the readings. */
  #center() {
    const { start, end } = this.#current;
    const box = this.#view.range(start, end).getBoundingClientRect();
    const top = element("header").getBoundingClientRect().bottom;
    const bottom = element("readings").getBoundingClientRect().top;
    const middle = box.height < bottom - top ? (box.top + box.bottom) / 2 : box.top + (bottom - top) / 2;
    window.scrollBy({ top: middle - (top + bottom) / 2, behavior: "instant" });
  }

  #look(answer) {
    if (this.#preview !== answer) {
      this.#preview = answer;
      this.#drawText();
      this.#consult(answer);
    }
  }

  /** Show what the guidelines say about the label of an answer, or of the first one. */
  #consult(answer) {
    const { choices } = this.#current;
    const choice = choices.find((candidate) => candidate.answer === answer);
    const span = choice?.spans?.[0] ?? choices[0].spans?.[0];
    this.#guidelines.showLabel(span?.label ?? null);
  }

  // -- answers -------------------------------------------------------------------------------

  #choose(answer) {
    const question = this.#current;
    if (!question) {
      return;
    }
    clearNotice("by-hand");
    if (!this.#round.isDone(question) || this.#round.answerOf(question) !== answer) {
      this.#round.give(question, answer);
      this.#delivery.send(question);
    }
    if (answer === BY_HAND) {
      showMarkedLater();
    }
    this.#show(this.#round.nextOpen(question) ?? question);
  }

  #goBack(question) {
    if (question) {
      clearNotice("by-hand");
      this.#delivery.send(question);
      this.#show(question);
    }
  }

  async #readStored(questions) {
    try {
      for (const { id } of questions) {
        const changes = this.#round.changesOf(id);
        const stored = await readAnswer(this.#api, this.#project.id, id, this.#categoryIds);
        // An answer that was given meanwhile is newer than what was read.
        if (this.#round.changesOf(id) === changes) {
          this.#round.setStored(id, stored);
        }
      }
    } catch {
      // Without the answers the page still works: they are read again before one is written.
      return;
    }
    this.#redraw();
  }

  /** Draw what has changed elsewhere, unless the person is looking at a reading. */
  #redraw() {
    if (this.#current && !document.activeElement?.closest(".reading")) {
      this.#draw();
    }
  }

  // -- input ---------------------------------------------------------------------------------

  #listen() {
    const actions = this.#actions();
    listenToKeys(actions);
    const clicks = {
      previous: () => actions.go(-1),
      next: () => actions.go(1),
      "next-open": actions.nextOpen,
      undo: actions.undo,
      "show-names": actions.toggleNames,
      "open-guidelines": actions.toggleGuidelines,
      "open-keys": actions.showKeys,
    };
    for (const [id, run] of Object.entries(clicks)) {
      element(id).addEventListener("click", run);
    }
    element("text").addEventListener("click", ({ target }) => {
      const question = this.#round.find(questionOf(target.closest("mark")));
      if (question) {
        this.#show(question);
      }
    });
    // An open panel takes room from the article.
    const whenToggled = new MutationObserver(() => this.#current && this.#center());
    whenToggled.observe(element("panel"), { attributeFilter: ["hidden"] });
    window.addEventListener("popstate", () => this.#openAddress());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#current) {
        this.#delivery.checkUser();
        this.#readStored([this.#current]);
      }
    });
  }

  #actions() {
    return {
      chooseKey: (key) => {
        const choice = this.#current?.choices.find((candidate) => candidate.key === key);
        if (choice) {
          this.#choose(choice.answer);
        }
      },
      go: (step) => {
        const { questions } = this.#round;
        const question = questions[questions.indexOf(this.#current) + step];
        if (question && this.#current) {
          this.#show(question);
        }
      },
      nextOpen: () => {
        const question = this.#current && this.#round.nextOpen(this.#current);
        if (question) {
          this.#show(question);
        }
      },
      undo: () => this.#goBack(this.#round.undo()),
      redo: () => this.#goBack(this.#round.redo()),
      moveFocus: (step) => this.#readings.moveFocus(step),
      toggleNames: () => {
        this.#areNamesShown = !this.#areNamesShown;
        element("show-names").setAttribute("aria-pressed", String(this.#areNamesShown));
        if (this.#current) {
          this.#comments.show(this.#current.article, this.#areNamesShown);
          this.#draw();
        }
      },
      toggleGuidelines: () =>
        this.#guidelines.isOpen ? this.#guidelines.close() : this.#guidelines.open(),
      toggleComments: () => this.#comments.toggle(),
      showKeys: () => showKeyMap({ labels: [], keys: KEY_GROUPS }),
    };
  }

  #openAddress() {
    const number = Number(/\/(\d+)\/?$/.exec(location.pathname)?.[1]);
    const question = this.#round.questions.find((candidate) => candidate.number === number);
    if (question) {
      this.#show(question, { isNew: false });
    }
  }
}
