/** The parts of guidelines that speak of one label. */

const HEADING = /^H([1-6])$/;

/**
 * Return copies of the parts of rendered guidelines that speak of a label, in their order.
 *
 * These are the rows of tables that have the label in a cell of its own, the sections whose heading
 * names it, and elsewhere the paragraphs and list items that name it.
 */
export function rulingFor(guidelines, label) {
  const isNamed = matcher(label, "iu");
  // Labels such as "Person" are common words as well: in running text the case counts.
  const isMentioned = matcher(label, "u");
  const parts = [];
  const covered = new Set();
  for (const heading of guidelines.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (isNamed(heading.textContent) && !covered.has(heading)) {
      for (const node of sectionOf(heading)) {
        covered.add(node);
        parts.push(node);
      }
    }
  }
  const isCovered = (node) => [...covered].some((part) => part.contains(node));
  for (const block of guidelines.querySelectorAll("tr, p, li")) {
    if (isCovered(block)) {
      continue;
    }
    if (block.matches("tr") ? isRowOf(block, label) : isMentioned(ownText(block))) {
      parts.push(block);
      covered.add(block);
    }
  }
  parts.sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  return parts.map((part) => copyOf(part, label));
}

function matcher(label, flags) {
  const words = label.split(/[\s_-]+/u).filter(Boolean).map(escape);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${words.join("[\\s_-]+")}(?![\\p{L}\\p{N}_])`, flags);
  return (text) => words.length > 0 && pattern.test(text);
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function sectionOf(heading) {
  const level = Number(HEADING.exec(heading.tagName)[1]);
  const nodes = [heading];
  let next = heading.nextElementSibling;
  while (next && !(HEADING.test(next.tagName) && Number(next.tagName[1]) <= level)) {
    nodes.push(next);
    next = next.nextElementSibling;
  }
  return nodes;
}

function isRowOf(row, label) {
  return [...row.cells].some((cell) => isSameWord(cell.textContent.trim(), label));
}

function isSameWord(text, label) {
  return text.toLowerCase() === label.toLowerCase();
}

/** Return the text of a block without that of the lists and paragraphs in it. */
function ownText(block) {
  return [...block.childNodes]
    .filter((node) => !(node instanceof Element && node.matches("ul, ol, p, table, .table")))
    .map((node) => node.textContent)
    .join("");
}

/** Copy a part; a row becomes a paragraph without label and key, a list item a list. */
function copyOf(part, label) {
  if (part.matches("tr")) {
    const paragraph = document.createElement("p");
    const cells = [...part.cells].map((cell) => cell.textContent.trim());
    const others = cells.filter((text) => text.length > 1 && !isSameWord(text, label));
    paragraph.append(others.join(" · "));
    return paragraph;
  }
  const copy = part.cloneNode(true);
  if (part.matches("li")) {
    const list = document.createElement("ul");
    list.append(copy);
    return list;
  }
  return copy;
}
