"""Labels that change while a session runs: on a real doccano, in its files and on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.session.changes.label_changes import change_labels
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.history import read_history
from orbat.annotation.session.pull import SUGGESTED, pull
from orbat.annotation.session.push import push
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents
from orbat.corpus.labels import LabelSet, load_labels
from orbat.errors import InputError
from tests.annotation.page.driver import AnnotatorPage
from tests.conftest import Orbat, Running

TEXT = "Gen. Ann Doe led the Army Staff."
BEFORE = """name = "staff"
[[label]]
name = "RANK"
key = "r"
color = "#112233"
[[label]]
name = "BODY"
key = "b"
[[label]]
name = "OLD"
key = "o"
"""
AFTER = """name = "staff"
[[label]]
name = "RANK"
key = "b"
color = "#abcdef"
[[label]]
name = "UNIT"
key = "r"
[[label]]
name = "OLD"
retired = true
[[label]]
name = "NEW"
key = "o"
"""
SPANS = (Span(0, 4, "RANK"), Span(5, 12, "OLD", score=0.5), Span(21, 31, "BODY", score=0.75))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(BEFORE)
    after.write_text(AFTER)
    return before, after


def types(connection: DoccanoClient, project: int) -> dict[str, tuple[str | None, str]]:
    return {t.text: (t.suffix_key, t.background_color) for t in connection.span_types(project)}


CHANGED = {
    "RANK": ("b", "#abcdef"),
    "UNIT": ("r", "#999999"),
    "OLD": (None, "#999999"),
    "NEW": ("o", "#999999"),
}


@pytest.mark.doccano
@pytest.mark.slow
@pytest.mark.browser
def test_labels_change_and_all_spans_are_kept(
    orbat: Orbat,
    doccano: Running,
    tmp_path: Path,
    files: tuple[Path, Path],
    refused: Callable[..., str],
    browser: Any,
    screenshot: Callable[..., None],
) -> None:
    before, after = files
    folder, sets = tmp_path / "june", tmp_path / "june" / "pulled"
    write_documents(tmp_path / "d.jsonl", [Document("x", TEXT, SPANS), Document("y", TEXT)])
    names = "lc-ann,lc-ben"
    push_labels = (
        *("annotate", "push", tmp_path / "d.jsonl", "--session", folder),
        *("--annotators", names, "--suggest", "none", "--labels"),
    )
    assert orbat(*push_labels, before, env=doccano.env).code == 0
    with doccano.connect() as connection:
        pull(connection, folder)
        project = open_session(folder).projects["lc-ann"]
        connection.confirm(project, next(connection.examples(project)).id)
        change = ("annotate", "labels", "--session", folder, "--labels", after)
        write_documents(tmp_path / "z.jsonl", [Document("z", TEXT)])
        more = ("annotate", "push", tmp_path / "z.jsonl", *push_labels[3:])
        assert "orbat annotate labels" in refused(*more, after, env=doccano.env)
        assert "label 'BODY' is missing" in refused(*change, env=doccano.env)
        assert "write OLD=NEW" in refused(*change, "--rename", "BODY", env=doccano.env)
        assert "the session has 'RANK' already" in refused(
            *change, "--rename", "BODY=RANK", env=doccano.env
        )
        done = orbat(*change, "--rename", "BODY=UNIT", env=doccano.env)
        assert done.code == 0, done.err
        for line in ("added: NEW", "renamed: BODY → UNIT", "retired: OLD", "changed: RANK, UNIT"):
            assert line in done.out
        again = orbat(*change, "--rename", "BODY=UNIT", env=doccano.env)
        assert "has these labels already" in again.out
        assert types(connection, project) == CHANGED
        example = next(connection.examples(project))
        assert example.meta["meta"]["suggestions"][2] == [21, 31, "UNIT", 0.75]
        pulled = pull(connection, folder)
    assert {name: c.documents for name, c in pulled.changes.items()} == {"lc-ann": 1, "lc-ben": 0}
    (marked, _) = pulled.annotation_sets["lc-ann"]
    assert [span.label for span in marked.spans] == ["RANK", "OLD", "UNIT"]
    assert {span.note for span in marked.spans} == {SUGGESTED}
    assert {s.label for v in read_history(folder, "lc-ann") for s in v.spans} == {
        *("RANK", "OLD", "UNIT")
    }
    agreed = orbat(
        *("annotate", "agree", sets / "lc-ann.jsonl", sets / "lc-ben.jsonl", "--unconfirmed"),
        *("--labels", after, "--json"),
    )
    assert agreed.code == 0, agreed.err
    # A new annotator gets the labels as they are now.
    renamed = (*SPANS[:2], Span(21, 31, "UNIT"))
    write_documents(tmp_path / "d.jsonl", [Document("n", TEXT, renamed)])
    later = orbat(*push_labels, after, "--annotators", "lc-cid", env=doccano.env)
    assert later.code == 0, later.err
    page = AnnotatorPage(browser, open_session(folder), "lc-cid").open().page
    offered = page.locator("#labels button.label").evaluate_all("all => all.map(b => b.innerText)")
    assert [text.split() for text in offered] == [["RANK", "b"], ["UNIT", "r"], ["NEW", "o"]]
    # The spans of a retired label are shown as before.
    assert page.locator("#text mark[data-label=OLD]").inner_text().strip() == "Ann Doe"
    screenshot(page, "retired-label")


@pytest.mark.doccano
@pytest.mark.slow
def test_an_interrupted_change_is_completed_by_the_same_call(
    doccano: Running,
    tmp_path: Path,
    files: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = map(load_labels, files)
    real = DoccanoClient.change_span_type
    left = 0

    def interrupted(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        real(*arguments)

    with doccano.connect() as connection:
        sent = [Document("x", TEXT, SPANS)]
        projects = push(connection, tmp_path, sent, ["lc-int", "lc-two"], before).session.projects
        with monkeypatch.context() as patched:
            patched.setattr(DoccanoClient, "change_span_type", interrupted)
            for count in (0, 2, 3):
                left = count
                with pytest.raises(KeyboardInterrupt):
                    change_labels(connection, tmp_path, after, renames={"BODY": "UNIT"})
                assert open_session(tmp_path).labels == before
        change_labels(connection, tmp_path, after, renames={"BODY": "UNIT"})
        for name, project in projects.items():
            assert types(connection, project) == CHANGED
            (document,) = pull(connection, tmp_path).annotation_sets[name]
            assert [(s.start, s.end, s.label) for s in document.spans] == [
                *((0, 4, "RANK"), (5, 12, "OLD"), (21, 31, "UNIT"))
            ]
    assert open_session(tmp_path).labels == after


def test_a_retired_label_has_no_key(files: tuple[Path, Path]) -> None:
    before, after = map(load_labels, files)
    assert [label.name for label in after.choices] == ["RANK", "UNIT", "NEW"]
    assert LabelSet.model_validate(after.model_dump(by_alias=True)) == after
    assert "retired" not in str(before.model_dump(by_alias=True))
    files[1].write_text(AFTER.replace("retired = true", 'retired = true\nkey = "x"'))
    with pytest.raises(InputError, match="retired label 'OLD' has a key; remove the key"):
        load_labels(files[1])
