/** The keys of the adjudication page. */

/**
 * Listen to the keyboard. Keys act only while no dialog is open and no field is being filled in.
 *
 * @param actions functions by name.
 */
export function listenToKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || belongsElsewhere(event)) {
      return;
    }
    const run = actionOf(event, actions);
    if (run) {
      event.preventDefault();
      run();
    }
  });
}

function belongsElsewhere(event) {
  const { target, key } = event;
  if (document.querySelector("dialog[open]")) {
    // The browser would go back to another conflict behind the dialog.
    if (event.altKey && key.startsWith("Arrow")) {
      event.preventDefault();
    }
    return true;
  }
  if (target.closest?.("input, textarea, select")) {
    return true;
  }
  if (target.closest?.("#panel") && key.startsWith("Arrow")) {
    return true;
  }
  return target.closest?.("button, a[href], summary") && ["Enter", " "].includes(key);
}

function actionOf({ key, altKey, shiftKey, ctrlKey, metaKey, repeat }, actions) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  if (ctrlKey || metaKey) {
    const undo = { z: shiftKey ? actions.redo : actions.undo, y: actions.redo };
    return altKey ? undefined : undo[name];
  }
  const go = { ArrowLeft: () => actions.go(-1), ArrowRight: () => actions.go(1) };
  if (altKey) {
    return go[name];
  }
  // A key that is held down must not answer the next conflict, too.
  if (repeat && !name.startsWith("Arrow")) {
    return undefined;
  }
  if (/^[0-9x]$/.test(name)) {
    return () => actions.chooseKey(name);
  }
  return {
    ...go,
    ArrowUp: () => actions.moveFocus(-1),
    ArrowDown: () => actions.moveFocus(1),
    Enter: actions.nextOpen,
    Backspace: actions.undo,
    n: actions.toggleNames,
    g: actions.toggleGuidelines,
    c: actions.toggleComments,
    "?": actions.showKeys,
  }[name];
}

/** The keys as the key map shows them. */
export const KEY_GROUPS = [
  {
    title: "Answers",
    entries: [
      { keys: ["1"], action: "This reading is right (up to 9); go to the next open conflict" },
      { keys: ["0"], action: "No span belongs here" },
      { keys: ["x"], action: "No reading is right: the article is marked by hand later" },
      { keys: ["↑", "↓"], action: "Look at a reading in the article; Enter chooses it" },
      { keys: ["Backspace"], action: "Undo the last answer (also Ctrl+Z)" },
      { keys: ["Ctrl", "Y"], action: "Give it again" },
    ],
  },
  {
    title: "Page",
    entries: [
      { keys: ["←", "→"], action: "Go to the conflict before or behind" },
      { keys: ["Enter"], action: "Go to the next open conflict" },
      { keys: ["g"], action: "Show the guidelines" },
      { keys: ["c"], action: "Show the annotators' comments" },
      { keys: ["n"], action: "Show the annotators' names" },
      { keys: ["?"], action: "Show the keys" },
    ],
  },
];
