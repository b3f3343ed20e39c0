/** The spans of an article while its conflicts are being resolved. */

import { BY_HAND } from "./questions.js";

const NO_COLOR = "#808080";
const KEY = /^conflict-(\d+)-/;

/** Return the id of the question that a span on the page belongs to, or null. */
export function questionOf(mark) {
  const [, id] = KEY.exec(mark?.dataset.key ?? "") ?? [];
  return id ? Number(id) : null;
}

/**
 * Return the spans of an article as `TextView` draws them.
 *
 * @param article the article.
 * @param questions its questions.
 * @param {object} state
 * @param state.current the question in focus.
 * @param state.answerOf returns the answer of a question, or null.
 * @param state.preview the answer of the current question that is looked at, or null.
 * @param {Map<string, string>} colors the colors of labels.
 */
export function articleSpans(article, questions, { current, answerOf, preview }, colors) {
  const agreed = article.spans.map((span, index) => draw(span, `agreed-${index}`, ["agreed"], colors));
  const disputed = questions.flatMap((question) => {
    const isCurrent = question === current;
    const answer = (isCurrent && preview) || answerOf(question);
    const classes = isCurrent ? ["conflict", "current"] : ["conflict"];
    return questionSpans(question, answer, classes, colors);
  });
  return [...agreed, ...disputed];
}

function questionSpans(question, answer, classes, colors) {
  const choice = question.choices.find((candidate) => candidate.answer === answer);
  const prefix = `conflict-${question.id}`;
  if (choice?.spans?.length) {
    return choice.spans.map((span, index) =>
      draw(span, `${prefix}-${index}`, [...classes, "decided"], colors),
    );
  }
  const state = choice ? (answer === BY_HAND ? "by-hand" : "no-span") : "open";
  const { start, end } = question;
  return [draw({ start, end, label: "" }, `${prefix}-whole`, [...classes, state], colors)];
}

function draw(span, key, classes, colors) {
  return { ...span, key, classes, color: colors.get(span.label) ?? NO_COLOR };
}
