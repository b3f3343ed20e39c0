/** Markdown of guidelines as DOM nodes; HTML in it is shown as text. */

import { create } from "./elements.js";
import { renderInline } from "./markdown_inline.js";

const MAX_DEPTH = 12;

const HEADING = /^ {0,3}(#{1,6})(?:\s(.*))?$/;
const HEADING_END = /(?:^|\s)#+$/;
const FENCE = /^ {0,3}(```+|~~~+)/;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(?:\s+|$)/;
const TABLE_RULE = /^\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$/;

/** Render Markdown: headings, lists, tables, quotes, code and inline emphasis and links. */
export function renderMarkdown(source) {
  const fragment = document.createDocumentFragment();
  const lines = source.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n");
  for (const block of blocksOf(lines, 0)) {
    fragment.append(block);
  }
  return fragment;
}

function blocksOf(lines, depth) {
  const blocks = [];
  let position = 0;
  while (position < lines.length) {
    if (lines[position].trim() === "") {
      position += 1;
      continue;
    }
    const [block, next] = blockAt(lines, position, depth);
    blocks.push(block);
    position = next;
  }
  return blocks;
}

/** Return the block that starts at a line, and the number of the line behind it. */
function blockAt(lines, position, depth) {
  const line = lines[position];
  const heading = HEADING.exec(line);
  if (heading) {
    const content = renderInline((heading[2] ?? "").trim().replace(HEADING_END, "").trimEnd());
    return [create(`h${heading[1].length}`, {}, content), position + 1];
  }
  if (FENCE.test(line)) {
    return fenceAt(lines, position);
  }
  if (RULE.test(line)) {
    return [create("hr"), position + 1];
  }
  if (isTableAt(lines, position)) {
    return tableAt(lines, position);
  }
  if (depth < MAX_DEPTH && QUOTE.test(line)) {
    return quoteAt(lines, position, depth);
  }
  if (depth < MAX_DEPTH && ITEM.test(line)) {
    return listAt(lines, position, depth);
  }
  return paragraphAt(lines, position);
}

function fenceAt(lines, position) {
  const fence = FENCE.exec(lines[position])[1];
  let end = position + 1;
  while (end < lines.length && !lines[end].trim().startsWith(fence)) {
    end += 1;
  }
  const content = lines.slice(position + 1, end).join("\n");
  return [create("pre", { tabindex: 0 }, create("code", {}, content)), end + 1];
}

function quoteAt(lines, position, depth) {
  let end = position;
  while (end < lines.length && lines[end].trim() !== "") {
    end += 1;
  }
  const content = lines.slice(position, end).map((line) => line.replace(QUOTE, ""));
  return [create("blockquote", {}, blocksOf(content, depth + 1)), end];
}

function paragraphAt(lines, position) {
  let end = position + 1;
  while (end < lines.length && !interruptsParagraph(lines, end)) {
    end += 1;
  }
  return [create("p", {}, renderInline(joined(lines.slice(position, end)))), end];
}

function interruptsParagraph(lines, position) {
  const line = lines[position];
  return (
    line.trim() === "" ||
    [HEADING, FENCE, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line)) ||
    isTableAt(lines, position)
  );
}

/** Join the lines of a paragraph; two blanks or a backslash at an end keep the line break. */
function joined(lines) {
  return lines
    .map((line, number) => {
      const breaks = number < lines.length - 1 && /(?: {2,}|\\)$/.test(line);
      return line.trim().replace(/\\$/, breaks ? "" : "\\") + (breaks ? "\n" : " ");
    })
    .join("")
    .trimEnd();
}

function listAt(lines, position, depth) {
  const first = ITEM.exec(lines[position]);
  const isNumbered = /\d/.test(first[2]);
  const indent = first[1].length;
  const list = isNumbered
    ? create("ol", { start: Number.parseInt(first[2], 10) })
    : create("ul");
  let at = position;
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (!item || item[1].length < indent || /\d/.test(item[2]) !== isNumbered) {
      break;
    }
    const [content, next] = itemAt(lines, at, item);
    list.append(create("li", {}, itemContent(content, depth)));
    at = next;
    const following = behindBlankLines(lines, at);
    if (following < lines.length && ITEM.test(lines[following])) {
      at = following;
    }
  }
  return [list, at];
}

/** Return the lines of a list item without its marker and indent, and the line behind it. */
function itemAt(lines, position, item) {
  const indent = item[1].length;
  const content = [lines[position].slice(item[0].length)];
  let at = position + 1;
  while (at < lines.length) {
    const line = lines[at];
    if (line.trim() === "") {
      const following = behindBlankLines(lines, at);
      if (following >= lines.length || indentOf(lines[following]) <= indent) {
        break;
      }
      content.push("");
      at = following;
      continue;
    }
    const isNested = indentOf(line) > indent;
    if (!isNested && interruptsParagraph(lines, at)) {
      break;
    }
    content.push(isNested ? line.slice(Math.min(indentOf(line), item[0].length)) : line);
    at += 1;
  }
  return [content, at];
}

/** Return the nodes of a list item; a single paragraph stands without `<p>`. */
function itemContent(lines, depth) {
  const [first, ...others] = blocksOf(lines, depth + 1);
  if (first?.tagName !== "P") {
    return first ? [first, ...others] : [];
  }
  return [...first.childNodes, ...others];
}

function behindBlankLines(lines, position) {
  let at = position;
  while (at < lines.length && lines[at].trim() === "") {
    at += 1;
  }
  return at;
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function isTableAt(lines, position) {
  const rule = lines[position + 1] ?? "";
  return (
    lines[position].includes("|") &&
    rule.includes("|") &&
    TABLE_RULE.test(rule.trim()) &&
    cellsOf(rule).length === cellsOf(lines[position]).length
  );
}

function tableAt(lines, position) {
  const header = cellsOf(lines[position]);
  let end = position + 2;
  while (end < lines.length && lines[end].trim() !== "" && lines[end].includes("|")) {
    end += 1;
  }
  const rows = lines.slice(position + 2, end).map((line) => {
    const cells = cellsOf(line);
    return create("tr", {}, ...header.map((_, i) => cell("td", cells[i] ?? "")));
  });
  const head = create("tr", {}, ...header.map((text) => cell(text ? "th" : "td", text)));
  const table = create("table", {}, create("thead", {}, head), create("tbody", {}, rows));
  // A wide table scrolls within a frame, which keys can only scroll if it takes the focus.
  const frame = { class: "table", tabindex: 0, role: "region", "aria-label": "Table" };
  return [create("div", frame, table), end];
}

function cell(name, source) {
  return create(name, name === "th" ? { scope: "col" } : {}, renderInline(source));
}

/** Split a row of a table; `\|` is a vertical bar within a cell. */
function cellsOf(line) {
  const row = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return row.split(/(?<!\\)\|/).map((text) => text.trim().replaceAll("\\|", "|"));
}
