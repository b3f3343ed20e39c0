/**
 * What the pages read from doccano and write to it, as plain records.
 *
 * Offsets are UTF-16 code units, as in JavaScript strings.
 */

const LIST_PAGE = 100;
const TOUCHED_AFTER_MS = 1000;
/** A tag of a project that begins so names a retired label. */
const RETIRED = "retired: ";

/**
 * Read a project with its labels and the person who is logged in.
 *
 * Labels are `{id, name, key, color}`; `key` is null for a label without one. `choices` are the
 * labels that can be chosen: all but the retired ones, which keep their spans.
 */
export async function loadProject(api, id) {
  const [user, project, labels] = await Promise.all([
    api.get("/v1/me"),
    api.get(`/v1/projects/${id}`),
    listLabels(api, id),
  ]);
  const retired = new Set((project.tags ?? []).map((tag) => tag.text));
  return {
    id,
    name: project.name,
    guidelines: project.guideline,
    user: { id: user.id, name: user.username },
    labels,
    choices: labels.filter((label) => !retired.has(`${RETIRED}${label.name}`)),
  };
}

function toLabel(type) {
  return {
    id: type.id,
    name: type.text,
    key: type.suffix_key,
    color: type.background_color,
  };
}

/** Return the article at a position counted from 1, or null behind the last one. */
export async function articleAt(api, project, number) {
  const page = await api.get(`/v1/projects/${project}/examples?limit=1&offset=${number - 1}`);
  return page.results.length ? toArticle(page.results[0]) : null;
}

/** Return the first article that is not confirmed, or null. */
export async function firstOpenArticle(api, project) {
  const page = await api.get(`/v1/projects/${project}/examples?confirmed=false&limit=1`);
  return page.results.length ? toArticle(page.results[0]) : null;
}

/** Read an article again. */
export async function readArticle(api, project, id) {
  return toArticle(await api.get(`/v1/projects/${project}/examples/${id}`));
}

/** Return all articles of a project in their order. */
export async function listArticles(api, project) {
  const articles = [];
  let count = 1;
  while (articles.length < count) {
    const page = await api.get(
      `/v1/projects/${project}/examples?limit=${LIST_PAGE}&offset=${articles.length}`,
    );
    if (page.results.length === 0) {
      break;
    }
    count = page.count;
    articles.push(...page.results.map(toArticle));
  }
  return articles;
}

function toArticle(example) {
  const meta = example.meta?.meta ?? example.meta ?? {};
  return {
    id: example.id,
    text: example.text,
    isConfirmed: example.is_confirmed,
    commentCount: example.comment_count,
    meta,
  };
}

/**
 * Return the spans of an article in their order: `{id, start, end, label, isSuggestion, score}`.
 *
 * A span is a suggestion until somebody changes or accepts it. Spans with a label of another
 * project have the label null.
 *
 * @param project as `loadProject` returns it.
 * @param article with `id` and `meta`.
 */
export async function listSpans(api, project, article) {
  const names = new Map(project.labels.map((label) => [label.id, label.name]));
  const scores = new Map(
    (article.meta.suggestions ?? []).map(([start, end, label, score]) => [
      `${start}-${end}-${label}`,
      score ?? null,
    ]),
  );
  const records = await api.get(`/v1/projects/${project.id}/examples/${article.id}/spans`);
  const spans = records.map((record) => {
    const label = names.get(record.label) ?? null;
    const key = `${record.start_offset}-${record.end_offset}-${label}`;
    const age = Date.parse(record.updated_at) - Date.parse(record.created_at);
    return {
      id: record.id,
      start: record.start_offset,
      end: record.end_offset,
      label,
      isSuggestion:
        age < TOUCHED_AFTER_MS && (record.user !== project.user.id || scores.has(key)),
      score: scores.get(key) ?? null,
    };
  });
  return spans.sort((a, b) => a.start - b.start);
}

/** Return the labels of a project, in the order of their ids, which is that of the label set. */
export async function listLabels(api, project) {
  const types = await api.get(`/v1/projects/${project}/span-types`);
  return types.sort((a, b) => a.id - b.id).map(toLabel);
}

/** Create a span and return its id. */
export async function createSpan(api, project, article, { start, end, labelId }) {
  const record = await api.post(`/v1/projects/${project}/examples/${article}/spans`, {
    start_offset: start,
    end_offset: end,
    label: labelId,
  });
  return record.id;
}

/** Set the label of a span. The same label marks the span as touched. */
export async function relabelSpan(api, project, article, id, labelId) {
  await api.patch(`/v1/projects/${project}/examples/${article}/spans/${id}`, { label: labelId });
}

/** Delete a span; it is no error if it is gone. */
export async function deleteSpan(api, project, article, id) {
  try {
    await api.delete(`/v1/projects/${project}/examples/${article}/spans/${id}`);
  } catch (error) {
    if (error.kind !== "missing") {
      throw error;
    }
  }
}

/**
 * Confirm an example that is open, or withdraw the confirmation of one that is confirmed.
 *
 * doccano only changes the state to its opposite, and answers with the new one. If somebody else
 * has done the same in between, the request has reversed theirs and is sent again.
 *
 * @returns whether somebody else has done the same in between.
 */
export async function changeConfirmation(api, project, example, isConfirmed) {
  const path = `/v1/projects/${project}/examples/${example}/states`;
  const state = await api.post(path);
  if (Boolean(state?.id) === isConfirmed) {
    return false;
  }
  await api.post(path);
  return true;
}

/** Return the comments on an article, oldest first: `{id, user, text, createdAt}`. */
export async function listComments(api, project, article) {
  const page = await api.get(`/v1/projects/${project}/comments?example=${article}&limit=1000`);
  return page.results
    .map((record) => ({
      id: record.id,
      user: record.username,
      text: record.text,
      createdAt: record.created_at,
    }))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Write a comment on an article. */
export async function createComment(api, project, article, text) {
  await api.post(`/v1/projects/${project}/comments?example=${article}`, { text });
}
