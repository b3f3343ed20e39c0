/** What the adjudication page says about answers that do not arrive, and about the end. */

import { clearNotice, showNotice } from "../notices.js";

const KEPT = "Your answers are kept in this browser";

const FAILURES = {
  offline: `The server cannot be reached. ${KEPT} and are sent when it is back; go on meanwhile.`,
  missing: `These conflicts were deleted on the server. ${KEPT}; ask the lead of the project.`,
  refused: `Your account has no access to these conflicts any more. ${KEPT}; ask the lead of the project.`,
};

/**
 * Say why answers cannot be sent at present.
 *
 * @param error null if the server works again.
 * @param name the conflict at which the server failed, as in "Conflict 3"; undefined for none.
 */
export function showFailure(error, name) {
  if (error === null) {
    clearNotice("failure");
    return;
  }
  const place = name ? `${name}: ` : "";
  const text =
    FAILURES[error.kind] ??
    `${place}${error.message} ${KEPT} and are sent again until they are stored.`;
  showNotice("failure", text, { kind: error.isTemporary ? "warning" : "error" });
}

/**
 * Say why an answer was not stored.
 *
 * @param name the conflict, as in "Conflict 3".
 * @param entry the waiting answer with its problem.
 * @param actions `{useMine(), discard(), retry()}`.
 */
export function showProblem(id, name, { answer, problem }, { useMine, discard, retry }) {
  const mine = answer === null ? "your withdrawal" : `your answer “${answer}”`;
  const choices = {
    other: {
      text:
        problem.stored?.answer == null
          ? `${name}: the answer was withdrawn on another page meanwhile; ${mine} was not stored.`
          : `${name} was answered “${problem.stored.answer}” on another page meanwhile; ${mine} was not stored.`,
      actions: [
        { label: "Use mine", run: useMine },
        { label: "Keep the other", run: discard },
      ],
    },
    deleted: {
      text: `${name} was deleted in doccano; ${mine} was not stored. Ask the lead of the project.`,
      actions: [{ label: "Discard", run: discard }],
    },
    answer: {
      text: `The answer “${answer}” was deleted in doccano. Ask the lead to run orbat annotate adjudicate again.`,
      actions: [{ label: "Send again", run: retry }],
    },
    refused: {
      text: `${name}: doccano refuses ${mine}: ${problem.message}`,
      actions: [
        { label: "Send again", run: retry },
        { label: "Discard", run: discard },
      ],
    },
  };
  const { text, actions } = choices[problem.kind];
  showNotice(`problem-${id}`, text, { kind: "error", actions });
}

/** Remove what {@link showProblem} said. */
export function clearProblem(id) {
  clearNotice(`problem-${id}`);
}

/** Say that somebody else answered a conflict at the same moment. */
export function showShared(id, name) {
  showNotice(
    `shared-${id}`,
    `${name} was answered on another page at the same moment; yours replaced that answer. Agree on it with the other adjudicator.`,
    { kind: "warning", actions: [{ label: "Close", run: () => clearNotice(`shared-${id}`) }] },
  );
}

/** Say that an article comes back after none of its readings was right. */
export function showMarkedLater() {
  showNotice(
    "by-hand",
    "The article of the last conflict comes back for marking by hand when the lead runs orbat annotate adjudicate again.",
  );
}

/** Say that all conflicts are resolved, or remove it. */
export function showEnd(openCount, byHandCount) {
  if (openCount > 0) {
    clearNotice("end");
    return;
  }
  const articles = byHandCount === 1 ? "1 article comes" : `${byHandCount} articles come`;
  const later = byHandCount
    ? ` ${articles} back for marking by hand when the lead runs orbat annotate adjudicate again.`
    : " The lead can run orbat annotate adjudicate again to collect them.";
  clearNotice("by-hand");
  showNotice("end", `All conflicts are answered.${later}`);
}

/** Say which questions can only be answered on doccano's own page. */
export function showUnusable(project, numbers) {
  if (numbers.length === 0) {
    return;
  }
  const text =
    numbers.length === 1
      ? "1 conflict lacks its article, which this page needs. Answer it on doccano's own page."
      : `${numbers.length} conflicts lack their articles, which this page needs. Answer them on doccano's own page.`;
  const address = `/projects/${project}/text-classification?page=${numbers[0]}`;
  showNotice("unusable", text, {
    kind: "warning",
    actions: [{ label: "Open doccano's page", run: () => location.assign(address) }],
  });
}
