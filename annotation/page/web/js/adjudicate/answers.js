/**
 * An answer as doccano stores it: one category of the question, and a confirmation.
 *
 * doccano replaces the category of anybody, and its confirmation only changes to its opposite.
 * Therefore all functions read before they write.
 */

import { changeConfirmation } from "../doccano.js";

/** Return the ids of the answers that a project knows, by the answer. */
export async function readCategoryIds(api, project) {
  const types = await api.get(`/v1/projects/${project}/category-types`);
  return new Map(types.map((type) => [type.text, type.id]));
}

/**
 * Read what doccano holds for a question.
 *
 * @returns `{answer, category, isConfirmed}`: `answer` is null if there is none, `category` is the
 *   id of the record that holds it.
 */
export async function readAnswer(api, project, question, categoryIds) {
  const path = `/v1/projects/${project}/examples/${question}`;
  const [categories, states] = await Promise.all([
    api.get(`${path}/categories`),
    api.get(`${path}/states`),
  ]);
  const names = new Map([...categoryIds].map(([name, id]) => [id, name]));
  const category = categories.length === 1 ? categories[0] : null;
  return {
    answer: (category && names.get(category.label)) ?? null,
    category: category?.id ?? null,
    isConfirmed: states.results.length > 0,
  };
}

/**
 * Give a question an answer and confirm it, or take both away if the answer is null.
 *
 * @param stored what {@link readAnswer} has just returned.
 * @returns whether somebody else answered at the same moment, so that this answer replaced theirs.
 */
export async function writeAnswer(api, project, question, answer, stored, categoryIds) {
  const path = `/v1/projects/${project}/examples/${question}`;
  const isConfirmed = answer !== null;
  const confirm = () =>
    stored.isConfirmed !== isConfirmed && changeConfirmation(api, project, question, isConfirmed);
  if (answer === null) {
    const isShared = await confirm();
    await deleteCategory(api, path, stored.category);
    return isShared;
  }
  if (stored.answer !== answer) {
    await api.post(`${path}/categories`, { label: categoryIds.get(answer) });
  }
  return confirm();
}

async function deleteCategory(api, path, id) {
  try {
    if (id !== null) {
      await api.delete(`${path}/categories/${id}`);
    }
  } catch (error) {
    if (error.kind !== "missing") {
      throw error;
    }
  }
}
