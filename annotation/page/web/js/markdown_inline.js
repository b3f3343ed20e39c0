/** The inline part of Markdown: emphasis, code and links, as DOM nodes. */

import { create } from "./elements.js";

const MAX_DEPTH = 8;

const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const TICKS = /`+/y;
const CODE = /(`+)(?!`)(.+?)(?<!`)\1(?!`)/sy;
const LINK = /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*(?=\S)<?([^\s<>()]*(?:\([^\s()]*\)[^\s()]*)*)>?(?:\s+(?=\S)["'(][^"')]{0,500}["')])?\s*\)/sy;
const AUTOLINK = /<(https?:\/\/[^\s<>]+)>/iy;
const BARE_LINK = /https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"*_]/iy;
/** The beginning of emphasis, and all of it, by its character. */
const EMPHASIS = {
  "*": [
    { name: "strong", start: /\*\*(?=\S)/y, whole: /\*\*(.+?)(?<=\S)\*\*(?!\*)/sy },
    { name: "em", start: /\*(?=[^\s*_])/y, whole: /\*(.+?)(?<=\S)\*(?![*_])/sy },
  ],
  _: [
    { name: "strong", start: /__(?=\S)/y, whole: /__(.+?)(?<=\S)__(?![*\p{L}\p{N}_])/suy },
    { name: "em", start: /_(?=[^\s*_])/y, whole: /_(.+?)(?<=\S)_(?![*\p{L}\p{N}_])/suy },
  ],
};
const LETTER = /[\p{L}\p{N}_]/u;

/** Return the nodes of a line of Markdown. Raw HTML is text like any other. */
export function renderInline(source, depth = 0) {
  const nodes = [];
  // What has no end behind one place has none behind a later one: it is not sought again.
  const endless = new Set();
  let text = "";
  let position = 0;
  while (position < source.length) {
    const found = depth < MAX_DEPTH ? constructAt(source, position, depth, endless) : null;
    if (found === null) {
      text += source[position];
      position += 1;
      continue;
    }
    position += found.length;
    if (found.text) {
      text += found.text;
      continue;
    }
    if (text) {
      nodes.push(document.createTextNode(text));
      text = "";
    }
    nodes.push(found.node);
  }
  if (text) {
    nodes.push(document.createTextNode(text));
  }
  return nodes;
}

/** Return the construct at a position, as `{node, length}` or `{text, length}`, or null. */
function constructAt(source, position, depth, endless) {
  const character = source[position];
  if (character === "\\") {
    const match = at(ESCAPE, source, position);
    if (match) {
      return { text: match[1], length: match[0].length };
    }
    return null;
  }
  if (character === "`") {
    return code(source, position, endless);
  }
  if (character === "[" || character === "!") {
    return link(source, position, depth);
  }
  if (character === "<") {
    const match = at(AUTOLINK, source, position);
    return match && { node: anchor(match[1], [match[1]]), length: match[0].length };
  }
  if (character === "h" || character === "H") {
    const match = at(BARE_LINK, source, position);
    return match && { node: anchor(match[0], [match[0]]), length: match[0].length };
  }
  if (character === "*" || character === "_") {
    return emphasis(source, position, depth, endless);
  }
  if (character === "\n") {
    return { node: create("br"), length: 1 };
  }
  return null;
}

function code(source, position, endless) {
  const [ticks] = at(TICKS, source, position);
  const match = endless.has(ticks) ? null : at(CODE, source, position);
  if (match) {
    let content = match[2];
    if (content.startsWith(" ") && content.endsWith(" ") && content.trim()) {
      content = content.slice(1, -1);
    }
    return { node: create("code", {}, content), length: match[0].length };
  }
  // An unmatched run of backticks is text as a whole.
  endless.add(ticks);
  return { text: ticks, length: ticks.length };
}

function link(source, position, depth) {
  const match = at(LINK, source, position);
  if (!match) {
    return null;
  }
  const content = renderInline(match[1], depth + 1);
  return { node: anchor(match[2], content), length: match[0].length };
}

function emphasis(source, position, depth, endless) {
  const character = source[position];
  // Underscores within words, as in MILITARY_UNIT, are part of the word.
  if (character === "_" && position > 0 && LETTER.test(source[position - 1])) {
    return null;
  }
  for (const { name, start, whole } of EMPHASIS[character]) {
    if (!endless.has(whole) && at(start, source, position)) {
      const match = at(whole, source, position);
      if (match) {
        const content = renderInline(match[1], depth + 1);
        return { node: create(name, {}, content), length: match[0].length };
      }
      endless.add(whole);
    }
  }
  return null;
}

/** Return a link, or the content alone if the address is not one of the web. */
function anchor(address, content) {
  let url;
  try {
    url = new URL(address);
  } catch {
    url = null;
  }
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return create("span", {}, content);
  }
  return create(
    "a",
    { href: url.href, target: "_blank", rel: "noopener noreferrer" },
    content,
  );
}

function at(pattern, source, position) {
  pattern.lastIndex = position;
  return pattern.exec(source);
}
