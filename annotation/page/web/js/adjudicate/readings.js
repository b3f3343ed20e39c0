/** The readings of a conflict, one below the other, each drawn on its words. */

import { create } from "../elements.js";
import { contextOf } from "./context.js";
import { BY_HAND, NO_SPAN } from "./questions.js";

const REACH = 30;
const NARROW_REACH = 18;
const NAMES = { [NO_SPAN]: ["No span", ""], [BY_HAND]: ["None of these", ": mark by hand"] };

export class Readings {
  #section;
  #choices;
  #others;
  #actions;

  /**
   * @param actions `choose(answer)`; `preview(answer or null)` for the reading in focus;
   *   `consult(answer)` for the one under the mouse.
   */
  constructor(section, actions) {
    this.#section = section;
    this.#choices = section.querySelector("#choices");
    this.#others = section.querySelector("#other-choices");
    this.#actions = actions;
  }

  /**
   * Show the readings of a question.
   *
   * @param question the question.
   * @param {object} state
   * @param state.answer the answer that was given, or null.
   * @param state.areNamesShown whether to show who gave each reading.
   * @param {Map<string, string>} colors the colors of labels.
   */
  show(question, state, colors) {
    const { text, annotators } = question.article;
    const reach = window.matchMedia("(max-width: 40rem)").matches ? NARROW_REACH : REACH;
    const [start, end] = contextOf(text, question.start, question.end, reach);
    const rows = question.choices.map((choice) => {
      const content = choice.spans?.length
        ? wordsWithSpans(text, start, end, choice.spans, colors)
        : nameOf(choice.answer);
      const names = choice.annotators.map((index) => annotators[index] ?? "?");
      return this.#row(choice, content, state, names);
    });
    const isReading = (_, index) => question.choices[index].spans?.length > 0;
    this.#choices.replaceChildren(...rows.filter(isReading));
    this.#others.replaceChildren(...rows.filter((row, index) => !isReading(row, index)));
    this.#section.hidden = false;
  }

  /** Move the focus to the reading below (1) or above (-1). */
  moveFocus(step) {
    const rows = [...this.#section.querySelectorAll(".reading")];
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step;
    rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
  }

  #row(choice, content, { answer, areNamesShown }, names) {
    const { choose, preview, consult } = this.#actions;
    return create(
      "button",
      {
        type: "button",
        class: "reading",
        "data-answer": choice.answer,
        "aria-pressed": String(choice.answer === answer),
        "aria-keyshortcuts": choice.key,
        click: () => choose(choice.answer),
        focus: () => preview(choice.answer),
        blur: () => preview(null),
        mouseenter: () => consult(choice.answer),
      },
      create("kbd", {}, choice.key),
      content,
      ...(areNamesShown && names.length ? [create("span", { class: "names" }, names.join(", "))] : []),
    );
  }
}

/** Return the name of an answer without spans; a narrow screen shows its beginning. */
function nameOf(answer) {
  const [name, rest] = NAMES[answer];
  return create("span", { class: "words" }, name, create("span", { class: "wide" }, rest));
}

function wordsWithSpans(text, start, end, spans, colors) {
  const words = create("bdi", { class: "words" });
  let at = start;
  words.append(start > 0 && text[start - 1] !== "\n" ? "…" : "");
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const mark = create("mark", { class: "span", "data-label": span.label });
    mark.style.setProperty("--label", colors.get(span.label) ?? "#808080");
    mark.append(text.slice(span.start, span.end));
    words.append(text.slice(at, span.start), mark);
    at = span.end;
  }
  words.append(text.slice(at, end), end < text.length && text[end] !== "\n" ? "…" : "");
  return words;
}
