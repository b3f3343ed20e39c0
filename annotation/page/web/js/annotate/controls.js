/** Connects the buttons of the page and the events of the window to actions. */

import { keepSelection } from "./editing/label_bar.js";

/**
 * Connect the buttons.
 *
 * @param actions the page's actions by name.
 */
export function connectButtons(actions) {
  const buttons = {
    previous: () => actions.go(-1),
    next: () => actions.go(1),
    confirm: actions.confirm,
    withdraw: actions.withdraw,
    undo: actions.undo,
    redo: actions.redo,
    remove: actions.remove,
    accept: actions.accept,
    "accept-all": actions.acceptAll,
    "mark-all": actions.markAll,
    "open-find": actions.find,
    "open-keys": actions.keys,
  };
  for (const [id, run] of Object.entries(buttons)) {
    const button = document.getElementById(id);
    keepSelection(button);
    button.addEventListener("click", () => run());
  }
}

/**
 * Connect the window.
 *
 * @param callbacks
 *   - `open(number)`: the browser goes back or forward to an article.
 *   - `onReturn()`: the page is in sight again.
 *   - `wouldLoseWork()`: whether closing the page would lose unsaved work.
 */
export function connectWindow({ open, onReturn, wouldLoseWork }) {
  window.addEventListener("popstate", ({ state }) => {
    if (state) {
      open(state.number);
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      onReturn();
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (wouldLoseWork()) {
      event.preventDefault();
    }
  });
}
