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


def pushed_spans(folder: Path) -> set[tuple[str, str]]:
    """Return text and label of the spans of a session."""
    documents = open_session(folder).pushed("llm-ann")
    return {(d.text[s.start : s.end], s.label) for d in documents for s in d.spans}


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
    assert "the suggestions were not measured: no document to measure on" in replaced.out
    assert pushed_spans(folder) == {(word, "ROLE")}

    # A language model suggests anew: gold is measured before anything is sent of the session.
    with serve() as api:
        arguments = (
            *("annotate", "suggest", "--session", folder, "--model", f"llm:other@{api.url}"),
            *("--suggest", "model", "--gold", tmp_path / "gold.jsonl"),
        )
        environment = {**doccano.env, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        api.answers = [finds(named)] * answered
        api.answer = fails(400)
        failed = orbat(*arguments, env=environment)
        assert failed.code == 2
        assert failed.err.startswith(f"the texts are sent to {api.url}\n")
        assert {d.text for d in gold} >= {p for p in api.passages()[:answered] if len(p) < 2000}
        assert pushed_spans(folder) == {(word, "ROLE")}
        api.answer = finds(named)
        done = orbat(*arguments, env=environment)
    assert done.code == 0, done.err
    assert "Accuracy of the suggestions" in done.out
    assert done.out.index("Accuracy of the") < done.out.index("documents replaced and verified")
    assert "not measured" not in done.out
    assert f"{answered:,} answers were known" in done.err
    assert (word, "ROLE") not in pushed_spans(folder)
