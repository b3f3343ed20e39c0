/** Draws an open article: its spans, the selection, and which actions are possible. */

import { isUncertain, percent } from "../../confidence.js";
import { selectedRange, spanKey } from "./mouse.js";

/**
 * Draw the spans and the selection of an editor.
 *
 * @param view the {@link TextView}.
 * @param editor the {@link Editor}.
 * @param colors the color of each label, by its name.
 */
export function drawArticle(view, editor, colors) {
  const suggestions = new Set(editor.suggestions);
  view.setSpans(
    editor.spans.map((span) => ({
      key: spanKey(span),
      start: span.start,
      end: span.end,
      label: span.label ?? "?",
      color: colors.get(span.label) ?? "#999999",
      classes: [
        ...(suggestions.has(span) ? ["suggestion"] : []),
        ...(suggestions.has(span) && isUncertain(span.score) ? ["uncertain"] : []),
        ...(span === editor.selected ? ["selected"] : []),
      ],
      data: suggestions.has(span) && span.score !== null ? { score: percent(span.score) } : {},
    })),
  );
  drawSelection(view, editor.selection);
  showActions(editor);
}

/** Make the browser's selection that of the editor, unless it is already. */
function drawSelection(view, selection) {
  const shown = selectedRange(view);
  if (selection === null) {
    if (shown) {
      window.getSelection().removeAllRanges();
    }
  } else if (shown?.[0] !== selection[0] || shown[1] !== selection[1]) {
    const range = view.range(...selection);
    window
      .getSelection()
      .setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
  }
}

/** Enable the buttons of the actions that are possible. */
function showActions(editor) {
  const span = editor.target;
  const states = {
    undo: editor.canUndo,
    redo: editor.canRedo,
    remove: span !== null,
    "mark-all": span !== null,
    accept: Boolean(span?.isSuggestion) && !editor.article.isConfirmed,
    "accept-all": editor.suggestions.length > 0,
  };
  for (const [id, isPossible] of Object.entries(states)) {
    document.getElementById(id).disabled = !isPossible;
  }
  document.body.classList.toggle("confirmed", editor.article.isConfirmed);
  document.getElementById("withdraw").hidden = !editor.article.isConfirmed;
}
