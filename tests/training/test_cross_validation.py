"""Cross-validation folds, and the probabilities of words."""

from __future__ import annotations

import numpy as np
import pytest

from orbat.corpus.document import Document
from orbat.errors import InputError
from orbat.models.loading import load_model
from orbat.training.experiments.cross_validation import split_folds
from tests.conftest import Trained


def test_folds_have_similar_sizes_and_keep_near_duplicates_together(
    train_articles: list[Document],
) -> None:
    documents = list(train_articles[:30])
    documents += [Document(f"{d.id}-again", d.text + " More.") for d in documents[:5]]
    folds = split_folds(documents, 5)
    assert sorted(index for fold in folds for index in fold) == list(range(35))
    assert max(map(len, folds)) - min(map(len, folds)) <= 2
    fold_of = {documents[i].id: number for number, fold in enumerate(folds) for i in fold}
    assert all(fold_of[d.id] == fold_of[f"{d.id}-again"] for d in documents[:5])
    assert split_folds(documents, 5) == folds
    assert split_folds(documents, 5, seed=1) != folds
    with pytest.raises(InputError, match="at least two"):
        split_folds(documents, 1)


def test_probabilities_agree_with_the_predicted_spans(
    trained: Trained, test_articles: list[Document]
) -> None:
    model = load_model(str(trained.run))
    documents = [*test_articles[:4], Document("empty", ""), Document("blank", " \n ")]
    tagged = list(model.tag(documents))
    probabilities = list(model.probabilities(documents))
    assert len(probabilities) == len(documents)
    agree = words = 0
    for document, predicted in zip(tagged, probabilities, strict=True):
        assert predicted.values.shape == (len(predicted.words), 1 + len(predicted.labels))
        assert np.allclose(predicted.values.sum(axis=1), 1)
        agree += int((predicted.values.argmax(axis=1) == predicted.classes(document.spans)).sum())
        words += len(predicted.words)
    assert agree / words > 0.98
