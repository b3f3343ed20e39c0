"""Speed of `orbat annotate push`, compared with one request for each document and span.

    python -m orbat.evaluation.benchmarks.pushing HOME [--documents 1000] [--spans 15]

HOME is a folder for the benchmark's own doccano server, which is installed and started if
necessary. Both methods put the same documents into an empty project and then verify every text and
span on the server. The other method is that of doccano's own client: a request for each document
and each span, then pages of documents and the spans of each. Prints Markdown.
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
from ...errors import ServerError

WORDS = ("the", "force", "moved", "north", "with", "two", "companies", "of", "Brigade", "staff")


def make_documents(count: int, spans: int) -> list[Document]:
    """Return documents of about 2,000 characters with evenly distributed spans."""
    labels = load_labels().names
    documents = []
    for number in range(count):
        words = [f"{WORDS[(number * 7 + index) % len(WORDS)]}{index}" for index in range(240)]
        text = f"Document {number}. " + " ".join(words) + "."
        offsets, start = [], text.index(". ") + 2
        for word in words:
            offsets.append((start, start + len(word)))
            start += len(word) + 1
        step = len(offsets) // spans
        marks = (Span(*offsets[n * step], labels[(number + n) % len(labels)]) for n in range(spans))
        documents.append(Document(f"doc-{number}", text, tuple(marks)))
    return documents


def push_in_bulk(doccano: DoccanoClient, documents: Sequence[Document], labels: LabelSet) -> float:
    """Push with orbat, including verification, and return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        session = push(doccano, Path(folder), documents, ["bulk"], labels).session
        seconds = time.perf_counter() - began
    doccano.delete_project(session.projects["bulk"])
    return seconds


def push_one_by_one(
    doccano: DoccanoClient, password: str, documents: Sequence[Document], labels: LabelSet
) -> float:
    """Push with a request for each document and span, verify all, and return the seconds."""
    project = doccano.create_project("one by one", "Benchmark", "").id
    doccano.ensure_span_types(project, labels.labels)
    types = {span_type.text: span_type.id for span_type in doccano.span_types(project)}
    api = f"{doccano.url}/v1"
    login = httpx.post(
        f"{api}/auth/login/", json={"username": ADMIN, "password": password}, timeout=60
    )
    headers = {"Authorization": f"Token {login.json()['key']}"}
    with httpx.Client(base_url=f"{api}/projects/{project}/", headers=headers, timeout=60) as client:
        began = time.perf_counter()
        sent = {}
        for document in documents:
            response = client.post("examples", json={"text": document.text, "meta": {}})
            example = response.raise_for_status().json()["id"]
            spans = to_row(document).spans
            for start, end, label in spans:
                body = {"start_offset": start, "end_offset": end, "label": types[label]}
                client.post(f"examples/{example}/spans", json=body).raise_for_status()
            sent[example] = (document.text, sorted((s, e, types[x]) for s, e, x in spans))
        for example in doccano.examples(project):
            stored = client.get(f"examples/{example.id}/spans").raise_for_status().json()
            marks = sorted((s["start_offset"], s["end_offset"], s["label"]) for s in stored)
            if sent.pop(example.id) != (example.text, marks):
                raise ServerError(f"example {example.id} differs from what was sent")
        seconds = time.perf_counter() - began
    if sent:
        raise ServerError(f"{len(sent)} documents did not arrive")
    doccano.delete_project(project)
    return seconds


def main() -> None:
    """Run the benchmark and print its table."""
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
    median = bulk[len(bulk) // 2]
    print(f"{len(documents)} documents, {options.spans} spans each, verified on the server:\n")
    print("| method | seconds | documents/s | ratio |\n|---|---|---|---|")
    print(f"| one request each | {single:.0f} | {len(documents) / single:.1f} | 1 |")
    seconds = f"{median:.1f} ({bulk[0]:.1f} to {bulk[-1]:.1f})"
    print(f"| orbat | {seconds} | {len(documents) / median:.0f} | {single / median:.0f} |")


if __name__ == "__main__":
    main()
