"""Suggestions from models that orbat did not train, in a session on a real doccano."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy

from orbat.annotation.session.folder import open_session
from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from tests.chat_api import fails, finds, serve
from tests.conftest import Orbat, Running

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


def test_a_language_model_suggests_and_a_pipeline_of_spacy_replaces_its_suggestions(
    orbat: Orbat, doccano: Running, tmp_path: Path, dev_articles: list[Document]
) -> None:
    gold, new = dev_articles[:3], dev_articles[3:5]
    named = {d.text[s.start : s.end]: s.label for d in dev_articles[:5] for s in d.spans}
    write_documents(tmp_path / "gold.jsonl", gold)
    write_documents(tmp_path / "new.jsonl", [Document(d.id, d.text) for d in new])
    folder = tmp_path / "s"
    with serve() as api:
        path = tmp_path / "model.toml"
        path.write_text(
            f'kind = "llm"\nurl = "{api.url}"\nmodel = "tiny"\ncache = "kept.sqlite"\nworkers = 1\n'
        )
        arguments = (
            *("annotate", "push", tmp_path / "new.jsonl", "--session", folder),
            *("--annotators", "llm-ann", "--model", path, "--suggest", "model"),
            *("--gold", tmp_path / "gold.jsonl"),
        )
        # The gold is measured before the documents are tagged, and those before any is uploaded.
        answered = sum(1 + len(d.text) // 3000 for d in gold)
        api.answers = [finds(named)] * answered
        api.answer = fails(400)
        failed = orbat(*arguments, env=doccano.env)
        assert failed.code == 2
        assert failed.err.startswith(f"the texts are sent to {api.url}\n")
        assert "Accuracy of the suggestions" in failed.out
        assert not (folder / "session.json").exists()
        api.answer = finds(named)
        done = orbat(*arguments, env=doccano.env)
        assert done.code == 0, done.err
    assert f"{answered:,} answers were known" in done.err
    pushed = open_session(folder).pushed("llm-ann")
    assert {s for d in pushed for s in d.spans} >= {s for d in new for s in d.spans[:1]}

    nlp = spacy.blank("en")
    word = next(word for word in new[0].text.split() if word.isalpha())
    patterns = [{"label": "FIRST", "pattern": word}, {"label": "OTHER", "pattern": "the"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    nlp.to_disk(tmp_path / "ruler")
    arguments = (
        *("annotate", "suggest", "--session", folder, "--model", f"spacy:{tmp_path / 'ruler'}"),
        *("--suggest", "model"),
    )
    refused = orbat(*arguments, env=doccano.env)
    assert refused.code == 2
    assert "rename its labels with --map LABEL=NAME" in refused.err
    replaced = orbat(*arguments, "--map", "FIRST=ROLE", env=doccano.env)
    assert replaced.code == 0, replaced.err
    assert "spans of the model's labels OTHER are left out" in replaced.err
    spans = {(d.text[s.start : s.end], s.label) for d in open_session(folder).pushed("llm-ann")
             for s in d.spans}  # fmt: skip
    assert spans == {(word, "ROLE")}
