"""Folds, and what a model thinks of each word."""

from __future__ import annotations

import numpy as np
import pytest

from orbat.corpus.document import Document
from orbat.errors import InputError
from orbat.models.loading import load_model
from orbat.training.experiments.cross_validation import cut_folds
from tests.conftest import Trained


def test_folds_are_of_like_size_and_keep_near_duplicates_together(
    train_articles: list[Document],
) -> None:
    documents = list(train_articles[:30])
    documents += [Document(f"{d.id}-again", d.text + " More.") for d in documents[:5]]
    folds = cut_folds(documents, 5)
    assert sorted(place for fold in folds for place in fold) == list(range(35))
    assert max(map(len, folds)) - min(map(len, folds)) <= 2
    fold_of = {documents[place].id: number for number, fold in enumerate(folds) for place in fold}
    assert all(fold_of[d.id] == fold_of[f"{d.id}-again"] for d in documents[:5])
    assert cut_folds(documents, 5) == folds
    assert cut_folds(documents, 5, seed=1) != folds
    with pytest.raises(InputError, match="two at least"):
        cut_folds(documents, 1)


def test_chances_agree_with_the_spans_found(
    trained: Trained, test_articles: list[Document]
) -> None:
    model = load_model(str(trained.run))
    documents = [*test_articles[:4], Document("empty", ""), Document("blank", " \n ")]
    tagged = list(model.tag(documents))
    chances = list(model.probabilities(documents))
    assert len(chances) == len(documents)
    agree = words = 0
    for document, found in zip(tagged, chances, strict=True):
        assert found.values.shape == (len(found.words), 1 + len(found.labels))
        assert np.allclose(found.values.sum(axis=1), 1)
        agree += int((found.values.argmax(axis=1) == found.classes(document.spans)).sum())
        words += len(found.words)
    assert agree / words > 0.98
