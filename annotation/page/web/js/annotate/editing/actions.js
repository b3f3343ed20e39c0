/** What keys, buttons and panels do. */

import { clearNotice, showNotice } from "../../notices.js";
import { Cursor } from "./cursor.js";

const CURSOR_ACTIONS = [
  "moveByWord",
  "moveByLine",
  "moveByParagraph",
  "moveToCandidate",
  "extendByWord",
  "extendByLetter",
];

/**
 * Return the actions on the spans of the open article, by name.
 *
 * @param view the {@link TextView}.
 * @param getEditor returns the open {@link Editor}, or null before the first article: then the
 *   actions do nothing.
 * @param {Set<string>} offered the names of the labels that can be chosen.
 */
export function editingActions(view, getEditor, offered) {
  const select = (editor, span) => {
    editor.selectSpan(span);
    view.reveal(span.start, span.end);
  };
  const selectNext = (editor, step) => {
    const span = editor.selectNext(step);
    if (span) {
      view.reveal(span.start, span.end);
    }
  };
  const actions = {
    nextSpan: selectNext,
    select,
    accept: (editor) => {
      const span = editor.target;
      if (span && editor.accept([span]) && editor.suggestions.length) {
        selectNext(editor, 1);
      }
    },
    acceptSpan: (editor, span) => editor.accept([span]),
    acceptAll: (editor) => report(editor.accept(editor.suggestions), "suggestions accepted."),
    reject: (editor, span) => editor.removeSpans([span]),
    restore: (editor, span) => editor.restore(span),
    remove: (editor) => editor.remove(),
    removeAll: (editor) => report(editor.removeAll(), "spans removed."),
    markAll: (editor) => {
      const result = editor.markAll(offered);
      if (result) {
        const rest = result.overlapped ? `; ${result.overlapped} overlap another span.` : ".";
        report(result.added, `more occurrences marked${rest}`);
      }
    },
    propose: (editor, spans) => report(editor.propose(spans), "new suggestions from the model."),
    undo: (editor) => editor.undo(),
    redo: (editor) => editor.redo(),
  };
  for (const name of CURSOR_ACTIONS) {
    actions[name] = (editor, ...values) => new Cursor(view, editor)[name](...values);
  }
  const withEditor = (run) => (...values) => {
    const editor = getEditor();
    clearNotice("action");
    return editor ? run(editor, ...values) : undefined;
  };
  return Object.fromEntries(
    Object.entries(actions).map(([name, run]) => [name, withEditor(run)]),
  );
}

function report(count, text) {
  showNotice("action", `${count} ${text}`, { kind: "info" });
}
