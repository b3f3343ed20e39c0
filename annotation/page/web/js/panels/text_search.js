/** Search in rendered text: hits are wrapped in `<mark class="hit">`. */

const BLOCKS = "p, li, td, th, pre, blockquote, h1, h2, h3, h4, h5, h6";

/**
 * Mark all hits of words in an element, in place of those of an earlier search.
 *
 * A hit may reach over emphasis and links, but not over paragraphs, list items and cells.
 *
 * @returns {HTMLElement[][]} the marks of each hit.
 */
export function markHits(root, words) {
  clearHits(root);
  const query = words.trim();
  if (query === "") {
    return [];
  }
  const source = query.split(/\s+/u).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(source.join("\\s+"), "giu");
  return [...textsOfBlocks(root)].flatMap((nodes) => markHitsOf(nodes, pattern));
}

/** Remove the marks of a search. */
export function clearHits(root) {
  for (const mark of root.querySelectorAll("mark.hit")) {
    const parent = mark.parentNode;
    mark.replaceWith(...mark.childNodes);
    parent.normalize();
  }
}

/** Yield the text nodes of each block in turn. */
function* textsOfBlocks(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let block = null;
  let nodes = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const own = node.parentElement.closest(BLOCKS);
    if (own !== block && nodes.length) {
      yield nodes;
      nodes = [];
    }
    block = own;
    nodes.push(node);
  }
  if (nodes.length) {
    yield nodes;
  }
}

function markHitsOf(nodes, pattern) {
  const text = nodes.map((node) => node.data).join("");
  const hits = [...text.matchAll(pattern)].map((match) => [match.index, match.index + match[0].length]);
  // From the end, so that the offsets before a hit stay true.
  return hits.reverse().map(([start, end]) => wrap(nodes, start, end)).reverse();
}

function wrap(nodes, start, end) {
  const marks = [];
  let offset = 0;
  for (const node of nodes) {
    const length = node.data.length;
    const first = Math.max(start - offset, 0);
    const last = Math.min(end - offset, length);
    offset += length;
    if (first < last) {
      const range = document.createRange();
      range.setStart(node, first);
      range.setEnd(node, last);
      const mark = document.createElement("mark");
      mark.className = "hit";
      range.surroundContents(mark);
      marks.push(mark);
    }
  }
  return marks;
}
