/** The keys of the annotation page. */

/** With Alt, because label sets may use any letter alone; with macOS, Alt changes the letter. */
const PANELS = { KeyG: "guidelines", KeyC: "comments", KeyS: "suggestions" };

/**
 * Listen to the keyboard.
 *
 * Keys act only while no dialog is open and no field is being filled in.
 *
 * @param actions functions by name; see {@link keyGroups}.
 * @param labels the labels with their keys.
 */
export function listenToKeys(actions, labels) {
  const labelKeys = new Map(
    labels.filter((label) => label.key).map((label) => [label.key, label.name]),
  );
  document.addEventListener("keydown", (event) => {
    // A key that is held down must not confirm one article after another.
    if (event.isComposing || isBusy(event) || (event.repeat && event.key === "Enter")) {
      return;
    }
    const run = actionOf(event, actions, labelKeys);
    if (run) {
      event.preventDefault();
      run();
    }
  });
}

/** Return whether the keyboard belongs to a dialog, a field, a panel or a button at the moment. */
function isBusy(event) {
  const element = event.target;
  if (document.querySelector("dialog[open]")) {
    // The browser would go back to another article behind the dialog.
    if (event.altKey && event.key.startsWith("Arrow")) {
      event.preventDefault();
    }
    return true;
  }
  if (element.closest?.("input, textarea, select")) {
    return true;
  }
  if (event.key.startsWith("Arrow") && !event.altKey && element.closest?.("#panel")) {
    return true;
  }
  const isControl = element.closest?.("button, a[href], summary, #panel") !== null;
  return isControl && ["Enter", " ", "Tab"].includes(event.key);
}

function actionOf(event, actions, labelKeys) {
  const { altKey, shiftKey } = event;
  const key = keyOn(event);
  const control = event.ctrlKey || event.metaKey;
  if (key.startsWith("Arrow")) {
    return arrow(event, actions, control);
  }
  if (control && !altKey) {
    return undoKey(key.toLowerCase(), shiftKey, actions);
  }
  if (altKey && !control && event.code in PANELS) {
    return () => actions.panel(PANELS[event.code]);
  }
  if (altKey || control) {
    return null;
  }
  if (key === "F6") {
    return () => actions.region(shiftKey ? -1 : 1);
  }
  if (!shiftKey && labelKeys.has(key.toLowerCase())) {
    return () => actions.label(labelKeys.get(key.toLowerCase()));
  }
  const name = `${shiftKey ? "Shift+" : ""}${key.length === 1 ? key.toLowerCase() : key}`;
  return (
    {
      Tab: () => actions.nextSpan(1),
      "Shift+Tab": () => actions.nextSpan(-1),
      " ": actions.accept,
      "Shift+ ": actions.acceptAll,
      Delete: actions.remove,
      Backspace: actions.remove,
      "Shift+Delete": actions.removeAll,
      "Shift+Backspace": actions.removeAll,
      a: actions.markAll,
      "Shift+a": actions.markAll,
      Enter: actions.confirm,
      "Shift+Enter": actions.withdraw,
      Escape: actions.clear,
    }[name] ?? { "/": actions.find, "?": actions.keys }[key]
  );
}

/** Return the key; on layouts without Latin letters that of the same place on a Latin keyboard. */
function keyOn({ key, code }) {
  const isForeignLetter = key.length === 1 && /\p{L}/u.test(key) && !/[a-z]/i.test(key);
  return isForeignLetter && code.startsWith("Key") ? code.slice("Key".length).toLowerCase() : key;
}

function arrow({ key, altKey, shiftKey }, actions, control) {
  const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const isVertical = key === "ArrowUp" || key === "ArrowDown";
  if (shiftKey) {
    const border = control ? "start" : "end";
    if (isVertical) {
      return null;
    }
    return () => (altKey ? actions.extendByLetter(step, border) : actions.extendByWord(step, border));
  }
  if (altKey) {
    return isVertical || control ? null : () => actions.go(step);
  }
  if (control) {
    return () => (isVertical ? actions.moveByParagraph(step) : actions.moveToCandidate(step));
  }
  return () => (isVertical ? actions.moveByLine(step) : actions.moveByWord(step));
}

function undoKey(key, shiftKey, actions) {
  if (key === "z") {
    return shiftKey ? actions.redo : actions.undo;
  }
  return key === "y" ? actions.redo : null;
}

/** Return the keys as the key map shows them: `{title, entries: [{keys, action}]}`. */
export function keyGroups(labels) {
  const markAll = labels.some((label) => label.key === "a") ? ["Shift", "A"] : ["a"];
  return [
    {
      title: "Words",
      entries: [
        { keys: ["←", "→", "↑", "↓"], action: "Move the word cursor" },
        { keys: ["Ctrl", "→"], action: "Go to the next word with a capital letter or digit" },
        { keys: ["Ctrl", "↓"], action: "Go to the next paragraph" },
        { keys: ["/"], action: "Find words in the article" },
        { keys: ["Shift", "→"], action: "Move the end of the selection or span by a word" },
        { keys: ["Ctrl", "Shift", "→"], action: "Move its start by a word" },
        { keys: ["Alt", "Shift", "→"], action: "Move its end by a letter" },
        { keys: ["Ctrl", "Alt", "Shift", "→"], action: "Move its start by a letter" },
        { keys: ["Esc"], action: "Select nothing; again: choose no label" },
      ],
    },
    {
      title: "Spans",
      entries: [
        { keys: ["Tab"], action: "Go to the next suggestion, or span" },
        { keys: ["Shift", "Tab"], action: "Go to the one before" },
        { keys: ["Delete"], action: "Remove the span" },
        { keys: markAll, action: "Mark all other occurrences of its words" },
        { keys: ["Shift", "Delete"], action: "Remove all spans with its words and label" },
        { keys: ["Space"], action: "Accept the suggestion and go to the next" },
        { keys: ["Shift", "Space"], action: "Accept all suggestions" },
        { keys: ["Ctrl", "Z"], action: "Undo" },
        { keys: ["Ctrl", "Y"], action: "Redo" },
      ],
    },
    {
      title: "Articles",
      entries: [
        { keys: ["Enter"], action: "Confirm and open the next open article" },
        { keys: ["Shift", "Enter"], action: "Withdraw the confirmation" },
        { keys: ["Alt", "→"], action: "Next article" },
        { keys: ["Alt", "←"], action: "Previous article" },
        { keys: ["?"], action: "Show the keys" },
      ],
    },
    {
      title: "Panels",
      entries: [
        { keys: ["Alt", "G"], action: "Search the guidelines" },
        { keys: ["Alt", "C"], action: "Read or write comments" },
        { keys: ["Alt", "S"], action: "Go through the suggestions" },
        { keys: ["Esc"], action: "Close the panel" },
        { keys: ["F6"], action: "Go to the next part of the page" },
      ],
    },
    {
      title: "Mouse",
      entries: [
        { keys: ["Drag"], action: "Select words; over a span: move its borders" },
        { keys: ["Alt", "Drag"], action: "Select letters" },
        { keys: ["Click"], action: "Select a word or a span" },
        { keys: ["Double-click"], action: "Accept a suggestion" },
        { keys: ["Right click"], action: "Remove a span" },
      ],
    },
  ];
}
