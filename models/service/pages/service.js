"use strict";

const colors = JSON.parse(document.body.dataset.colors);
const form = document.getElementById("form");
const status = document.getElementById("status");
const legend = document.getElementById("legend");
const marked = document.getElementById("marked");

function say(line, isProblem) {
  status.textContent = line;
  status.classList.toggle("problem", isProblem);
}

/** Black or white, whichever has more contrast with a background `#rrggbb`. */
function textColor(background) {
  const linear = [1, 3, 5].map((at) => {
    const channel = parseInt(background.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.179 ? "#fff" : "#000";
}

function paint(element, label) {
  const color = colors[label] || "#cfcfcf";
  element.style.backgroundColor = color;
  element.style.color = textColor(color);
}

function show(text, spans) {
  marked.replaceChildren();
  legend.replaceChildren();
  let done = 0;
  for (const span of spans) {
    marked.append(text.slice(done, span.start));
    const mark = document.createElement("mark");
    const label = document.createElement("small");
    paint(mark, span.label);
    mark.append(text.slice(span.start, span.end), label);
    label.textContent = span.label;
    if (span.score !== undefined) mark.title = `${span.label}, confidence ${span.score.toFixed(2)}`;
    marked.append(mark);
    done = span.end;
  }
  marked.append(text.slice(done));
  for (const name of Object.keys(colors)) {
    const count = spans.filter((span) => span.label === name).length;
    const entry = document.createElement("span");
    paint(entry, name);
    entry.textContent = `${name} ${count}`;
    legend.append(entry);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  // The answer's offsets refer to the text as it is sent, which JavaScript counts in UTF-16 units.
  const text = document.getElementById("text").value;
  button.disabled = true;
  say("…", false);
  try {
    const answer = await fetch("tag", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text, offsets: "utf16" }),
    });
    const content = await answer.json();
    if (answer.ok) {
      const { spans } = content.documents[0];
      show(text, spans);
      say(spans.length === 1 ? "1 entity" : `${spans.length} entities`, false);
    } else {
      say(content.detail, true);
    }
  } catch (error) {
    say("The service does not answer.", true);
  } finally {
    button.disabled = false;
  }
});
