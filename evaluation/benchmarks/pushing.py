"""How fast documents with suggestions get before an annotator, beside one request for each.

    python -m orbat.evaluation.benchmarks.pushing HOME [--documents 1000] [--spans 15]

HOME is a folder for a doccano server of the benchmark's own, made and started if need be. Both
ways put the same documents into an empty project and then check that the server holds every text
and every span. One by one is the way of doccano's own client: a request for a document, one for
each span, then pages of documents and the spans of each. Prints Markdown.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from ...annotation.doccano.client import DoccanoClient
from ...annotation.doccano.server import ADMIN, DoccanoServer
from ...annotation.session.push import push
from ...annotation.session.upload import to_row
from ...corpus.document import Document, Span
from ...corpus.labels import LabelSet, load_labels
from ...errors import InputError

WORDS = ("the", "force", "moved", "north", "with", "two", "companies", "of", "Brigade", "staff")


def make_documents(count: int, spans: int) -> list[Document]:
    """Return documents of about 2,000 characters, spans spread over them."""
    labels = load_labels().names
    documents = []
    for number in range(count):
        words = [f"{WORDS[(number * 7 + place) % len(WORDS)]}{place}" for place in range(240)]
        text = f"Document {number}. " + " ".join(words) + "."
        starts, place = [], text.index(". ") + 2
        for word in words:
            starts.append((place, place + len(word)))
            place += len(word) + 1
        every = len(starts) // spans
        marks = (Span(*starts[n * every], labels[(number + n) % len(labels)]) for n in range(spans))
        documents.append(Document(f"doc-{number}", text, tuple(marks)))
    return documents


def push_in_bulk(doccano: DoccanoClient, documents: Sequence[Document], labels: LabelSet) -> float:
    """Push with orbat, verification included, and return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        session = push(doccano, Path(folder), documents, ["bulk"], labels).session
        seconds = time.perf_counter() - began
    doccano.delete_project(session.projects["bulk"])
    return seconds


def push_one_by_one(
    doccano: DoccanoClient, password: str, documents: Sequence[Document], labels: LabelSet
) -> float:
    """Push with a request for each document and span, check all, and return the seconds."""
    project = doccano.create_project("one by one", "Benchmark", "").id
    doccano.ensure_span_types(project, labels.labels)
    types = {each.text: each.id for each in doccano.span_types(project)}
    api = f"{doccano.url}/v1"
    login = httpx.post(
        f"{api}/auth/login/", json={"username": ADMIN, "password": password}, timeout=60
    )
    headers = {"Authorization": f"Token {login.json()['key']}"}
    with httpx.Client(base_url=f"{api}/projects/{project}/", headers=headers, timeout=60) as client:
        began = time.perf_counter()
        wanted = {}
        for document in documents:
            answer = client.post("examples", json={"text": document.text, "meta": {}})
            example = answer.raise_for_status().json()["id"]
            spans = to_row(document).spans
            for start, end, label in spans:
                body = {"start_offset": start, "end_offset": end, "label": types[label]}
                client.post(f"examples/{example}/spans", json=body).raise_for_status()
            wanted[example] = (document.text, sorted((s, e, types[x]) for s, e, x in spans))
        for example in doccano.examples(project):
            found = client.get(f"examples/{example.id}/spans").raise_for_status().json()
            marks = sorted((s["start_offset"], s["end_offset"], s["label"]) for s in found)
            if wanted.pop(example.id) != (example.text, marks):
                raise InputError(f"example {example.id} differs from what was sent")
        seconds = time.perf_counter() - began
    if wanted:
        raise InputError(f"{len(wanted)} documents did not arrive")
    doccano.delete_project(project)
    return seconds


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--spans", type=int, default=15)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = DoccanoServer(options.home)
    server.up(port, on_message=print)
    labels = load_labels()
    documents = make_documents(options.documents, options.spans)
    try:
        with server.connect() as doccano:
            bulk = sorted(push_in_bulk(doccano, documents, labels) for _ in range(options.repeats))
            single = push_one_by_one(doccano, server.password, documents, labels)
    finally:
        server.down()
    middle = bulk[len(bulk) // 2]
    print(f"{len(documents)} documents, {options.spans} spans each, checked on the server:\n")
    print("| way | seconds | documents/s | ratio |\n|---|---|---|---|")
    print(f"| one by one | {single:.0f} | {len(documents) / single:.1f} | 1 |")
    spread = f"{middle:.1f} ({bulk[0]:.1f} to {bulk[-1]:.1f})"
    print(f"| orbat | {spread} | {len(documents) / middle:.0f} | {single / middle:.0f} |")


if __name__ == "__main__":
    main()
