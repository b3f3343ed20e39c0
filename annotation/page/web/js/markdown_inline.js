/** The inline part of Markdown: emphasis, code and links, as DOM nodes. */

import { create } from "./elements.js";

const MAX_DEPTH = 8;

const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const CODE = /(`+)(?!`)(.+?)(?<!`)\1(?!`)/sy;
const LINK = /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s()]*)*)>?(?:\s+["'(][^"')]*["')])?\s*\)/sy;
const AUTOLINK = /<(https?:\/\/[^\s<>]+)>/iy;
const BARE_LINK = /https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"*_]/iy;
const STRONG = /(\*\*|__)(?=\S)(.+?)(?<=\S)\1(?!\*)/sy;
const EMPHASIS = /([*_])(?=[^\s*_])(.+?)(?<=[^\s])\1(?![*_])/sy;
const LETTER = /[\p{L}\p{N}_]/u;

/** Return the nodes of a line of Markdown. Raw HTML is text like any other. */
export function renderInline(source, depth = 0) {
  const nodes = [];
  let text = "";
  let position = 0;
  while (position < source.length) {
    const found = depth < MAX_DEPTH ? constructAt(source, position, depth) : null;
    if (found === null) {
      text += source[position];
      position += 1;
      continue;
    }
    if (text) {
      nodes.push(document.createTextNode(text));
      text = "";
    }
    nodes.push(found.node);
    position += found.length;
  }
  if (text) {
    nodes.push(document.createTextNode(text));
  }
  return nodes;
}

/** Return the construct that starts at a position, as `{node, length}`, or null. */
function constructAt(source, position, depth) {
  const character = source[position];
  if (character === "\\") {
    const match = at(ESCAPE, source, position);
    if (match) {
      return { node: document.createTextNode(match[1]), length: match[0].length };
    }
    return null;
  }
  if (character === "`") {
    return code(source, position);
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
    return emphasis(source, position, depth);
  }
  if (character === "\n") {
    return { node: create("br"), length: 1 };
  }
  return null;
}

function code(source, position) {
  const match = at(CODE, source, position);
  if (match) {
    const content = match[2].replace(/^ (.*\S.*) $/s, "$1");
    return { node: create("code", {}, content), length: match[0].length };
  }
  // An unmatched run of backticks is text as a whole.
  const run = /`+/y;
  run.lastIndex = position;
  const ticks = run.exec(source)[0];
  return { node: document.createTextNode(ticks), length: ticks.length };
}

function link(source, position, depth) {
  const match = at(LINK, source, position);
  if (!match) {
    return null;
  }
  const content = renderInline(match[1], depth + 1);
  return { node: anchor(match[2], content), length: match[0].length };
}

function emphasis(source, position, depth) {
  const isUnderscore = source[position] === "_";
  // Underscores within words, as in MILITARY_UNIT, are part of the word.
  if (isUnderscore && position > 0 && LETTER.test(source[position - 1])) {
    return null;
  }
  for (const [pattern, name] of [[STRONG, "strong"], [EMPHASIS, "em"]]) {
    const match = at(pattern, source, position);
    const after = match ? (source[position + match[0].length] ?? "") : "";
    if (match && !(isUnderscore && LETTER.test(after))) {
      const content = renderInline(match[2], depth + 1);
      return { node: create(name, {}, ...content), length: match[0].length };
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
    return create("span", {}, ...content);
  }
  return create(
    "a",
    { href: url.href, target: "_blank", rel: "noopener noreferrer" },
    ...content,
  );
}

function at(pattern, source, position) {
  pattern.lastIndex = position;
  return pattern.exec(source);
}
