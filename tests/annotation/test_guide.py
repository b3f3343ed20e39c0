"""The annotators' guide and the keys of the label set."""

from __future__ import annotations

from pathlib import Path

from orbat.annotation.guide import render_guide, with_keys
from orbat.corpus.labels import Label, LabelSet, load_labels
from tests.conftest import Orbat


def test_the_guide_shows_the_keys_of_the_label_set(orbat: Orbat, tmp_path: Path) -> None:
    (tmp_path / "labels.toml").write_text(
        'name = "ports"\n[[label]]\nname = "Harbour <b>"\nkey = "h"\ndescription = "A port."\n'
    )
    outcome = orbat("annotate", "guide", tmp_path / "g.html", "--labels", tmp_path / "labels.toml")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / "g.html").read_text()
    assert "<kbd>h</kbd>" in page
    assert "<kbd>a</kbd>" in page
    assert "Harbour &lt;b&gt;" in page
    assert page.count("data:image/png;base64,iVBOR") == 2


def test_the_guide_names_the_other_key_where_a_label_has_the_key_a() -> None:
    labels = LabelSet(name="ports", label=(Label(name="PORT", key="a"),))
    assert render_guide(labels).count("<kbd>a</kbd>") == 1
    assert "<kbd>Shift</kbd> <kbd>A</kbd>" in render_guide(labels)


def test_the_keys_are_shown_above_the_guidelines() -> None:
    shown = with_keys(load_labels(), "# Guidelines")
    assert "| u | UNIT |" in shown
    assert shown.endswith("# Guidelines")
