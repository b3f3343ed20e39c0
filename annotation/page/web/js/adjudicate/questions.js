/**
 * The questions of an adjudication round: conflicts of articles with their possible answers.
 *
 * doccano holds each conflict as an example of a text classification project, and in its metadata
 * what the page shows. Offsets are UTF-16 code units.
 */

import { listArticles } from "../doccano.js";

export const NO_SPAN = "no span";
export const BY_HAND = "another";
const MAX_NUMBER = 9;

/**
 * Read the questions of a project, article by article.
 *
 * @returns `{questions, unusable}`. A question is `{id, number, of, article, start, end, choices,
 *   isConfirmed}`, where `number` is its position in doccano, counted from 1, and `of` names the
 *   conflict. An article is `{index, text, title, source, date, spans, annotators, comments}`.
 *   `unusable` are the numbers of questions without the metadata that the page needs.
 */
export async function loadQuestions(api, project) {
  return arrange(await listArticles(api, project));
}

function arrange(examples) {
  const articles = collectArticles(examples);
  const questions = [];
  const unusable = [];
  examples.forEach((example, index) => {
    const meta = example.meta;
    if (meta.withdrawn) {
      return;
    }
    const article = articles.get(meta.document);
    if (article && isConflictOf(meta.conflict, article.text)) {
      questions.push(toQuestion(example, index + 1, article));
    } else {
      unusable.push(index + 1);
    }
  });
  questions.sort((a, b) => a.article.index - b.article.index || a.start - b.start);
  return { questions, unusable };
}

/** Return the articles by document id, in the order of their first questions. */
function collectArticles(examples) {
  const articles = new Map();
  for (const { meta } of examples) {
    const record = meta.withdrawn ? null : meta.article;
    if (typeof record?.text !== "string") {
      continue;
    }
    articles.set(meta.document, {
      index: articles.get(meta.document)?.index ?? articles.size,
      id: meta.document,
      text: record.text,
      title: record.title ?? "",
      source: record.source ?? "",
      date: record.date ?? "",
      spans: (record.spans ?? []).map(toSpan),
      annotators: record.annotators ?? [],
      comments: record.comments ?? [],
    });
  }
  return articles;
}

function isConflictOf(conflict, text) {
  return (
    Array.isArray(conflict?.readings) &&
    Number.isInteger(conflict.start) &&
    0 <= conflict.start &&
    conflict.start < conflict.end &&
    conflict.end <= text.length
  );
}

function toQuestion(example, number, article) {
  const { start, end, readings, no_span: without } = example.meta.conflict;
  const numbered = readings.slice(0, MAX_NUMBER).map((reading, index) => ({
    key: String(index + 1),
    answer: String(index + 1),
    spans: reading.spans.map(toSpan),
    annotators: reading.annotators ?? [],
  }));
  return {
    id: example.id,
    number,
    of: `${article.id}#${start}-${end}`,
    article,
    start,
    end,
    choices: [
      ...numbered,
      { key: "0", answer: NO_SPAN, spans: [], annotators: without ?? [] },
      { key: "x", answer: BY_HAND, spans: null, annotators: [] },
    ],
    isConfirmed: example.isConfirmed,
  };
}

function toSpan([start, end, label]) {
  return { start, end, label };
}
