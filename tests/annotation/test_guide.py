"""The annotators' guide and the keys of the label set."""

from __future__ import annotations

from pathlib import Path

from orbat.annotation.guide import with_keys
from orbat.corpus.labels import load_labels
from tests.conftest import Orbat


def test_the_guide_shows_the_keys_of_the_label_set(orbat: Orbat, tmp_path: Path) -> None:
    (tmp_path / "labels.toml").write_text(
        'name = "ports"\n[[label]]\nname = "Harbour <b>"\nkey = "h"\ndescription = "A port."\n'
    )
    outcome = orbat("annotate", "guide", tmp_path / "g.html", "--labels", tmp_path / "labels.toml")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / "g.html").read_text()
    assert "<kbd>h</kbd>" in page
    assert "Harbour &lt;b&gt;" in page
    assert page.count("data:image/png;base64,iVBOR") == 2


def test_the_keys_are_shown_above_the_guidelines() -> None:
    shown = with_keys(load_labels(), "# Guidelines")
    assert "| u | UNIT |" in shown
    assert shown.endswith("# Guidelines")
