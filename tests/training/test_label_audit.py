"""Label audits: the issues, the written probabilities and the documents for review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orbat.annotation.word_probabilities import WordProbabilities
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_json_lines
from orbat.corpus.labels import load_labels
from orbat.training.experiments import label_audit
from orbat.training.experiments.label_audit import audit_labels
from orbat.training.recipe import load_recipe

RANK, WING = Span(0, 4, "RANK"), Span(14, 20, "UNIT")
TEXT = "Gen. Osei led 4 Wing"
WORDS = np.array([(0, 4), (5, 9), (10, 13), (14, 15), (16, 20)])
CORRECT = [Document(f"correct {number}", TEXT, (RANK, WING)) for number in range(20)]


def predict(document: Document) -> tuple[Document, WordProbabilities]:
    """Predict both spans with a probability of 0.9."""
    values = np.tile([0.98, 0.01, 0.01], (5, 1))
    values[0] = [0.1, 0.9, 0.0]
    values[3:] = [0.1, 0.0, 0.9]
    return document.with_spans([RANK, WING]), WordProbabilities(WORDS, ("RANK", "UNIT"), values)


@pytest.fixture
def fixed_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the training of models."""

    def predictions(
        recipe: Any, documents: list[Document], labels: Any, folder: Path, **_: Any
    ) -> list[tuple[Document, WordProbabilities]]:
        return [predict(document) for document in documents]

    monkeypatch.setattr(label_audit, "out_of_fold_predictions", predictions)


@pytest.mark.usefixtures("fixed_predictions")
def test_an_audit_ranks_the_issues_and_writes_the_probabilities(tmp_path: Path) -> None:
    gold = [
        *CORRECT,
        Document("missed", TEXT, (RANK,)),
        Document("both missed", TEXT),
    ]
    audit = audit_labels(load_recipe("quick"), gold, load_labels(), tmp_path)
    assert [(issue.document.id, issue.kind) for issue in audit.issues] == [
        ("both missed", "missed"),
        ("both missed", "missed"),
        ("missed", "missed"),
    ]
    # The models are right in 61 of 66 words, of all of which they are 90 % certain.
    probabilities = [issue.error_probability for issue in audit.issues]
    assert probabilities == pytest.approx([61 / 66] * 3, abs=0.01)
    assert audit.sample.documents == 22
    records = [record for _, record in read_json_lines(audit.probabilities)]
    assert [record["id"] for record in records] == [document.id for document in gold]
    assert len(audit_labels(load_recipe("quick"), gold, load_labels(), tmp_path, top=1).issues) == 1


@pytest.mark.usefixtures("fixed_predictions")
def test_documents_with_issues_are_pushed_once_to_one_annotator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr(label_audit, "push", lambda *args, **options: calls.append((args, options)))
    gold = [*CORRECT, Document("missed", TEXT, (RANK,))]
    audit = audit_labels(load_recipe("quick"), gold, load_labels(), tmp_path)
    audit.push_for_review(None, tmp_path / "review", ["ann", "ben"])
    ((arguments, options),) = calls
    _, folder, (document,), annotators, labels = arguments
    assert (folder, annotators, labels) == (tmp_path / "review", ["ann", "ben"], load_labels())
    assert (document.id, document.spans) == ("missed", (RANK,))
    assert document.meta["review"]["issue 1"].startswith("missed (97%): gold no span")
    assert options["overlap"] == 0
