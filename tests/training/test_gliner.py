"""GLiNER as a tagger: prompts, passages, and what is refused. Its package is an extra."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ModelError
from orbat.models.loading import load_model
from orbat.models.model import Model
from tests.training.test_training import tiny_encoder

gliner: Any = pytest.importorskip("gliner")

pytestmark = pytest.mark.slow

TEXT = "Gen. Smith leads the 4th Brigade. "
SHORT = "[prompts]\n" + "\n".join(f'{name} = "{name[:2]}"' for name in load_labels().names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that reads 24 words."""
    path = tmp_path_factory.mktemp("gliner")
    config = gliner.GLiNERConfig(
        model_name=str(tiny_encoder(path / "encoder")),
        hidden_size=32,
        max_width=4,
        max_len=24,
        num_rnn_layers=0,
    )
    model = gliner.GLiNER.from_config(config)
    model.save_pretrained(path / "model", safe_serialization=True)
    return path / "model"


def write_model(folder: Path, *lines: str) -> Path:
    path = folder.parent / "model.toml"
    path.write_text("\n".join(('kind = "gliner"', 'model = "model"', *lines)), encoding="utf-8")
    return path


def tag(model: Model, text: str) -> list[tuple[int, int, str]]:
    (document,) = model.tag([Document("d", text)])
    assert all(0 < (span.score or 0) <= 1 for span in document.spans)
    return [(span.start, span.end, span.label) for span in document.spans]


def test_long_texts_are_read_in_passages_to_their_end(folder: Path) -> None:
    model = load_model(write_model(folder, "threshold = 0.01", SHORT))
    assert model.labels == ("UNIT", "RANK", "ROLE", "OPERATION")
    found = tag(model, TEXT * 20)
    assert found[-1][1] > len(TEXT) * 19
    assert all(start < end <= after for (start, end, _), (after, *_) in pairwise(found))
    assert tag(model, "") == []
    assert {label for _, _, label in found} <= set(model.labels)


def test_answers_depend_on_prompts_and_threshold(folder: Path) -> None:
    plain = load_model(f"gliner:{folder}")
    same = load_model(write_model(folder))
    prompted = load_model(write_model(folder, "[prompts]", 'UNIT = "brigade"'))
    strict = load_model(write_model(folder, "threshold = 0.9999", SHORT))
    assert plain.fingerprint == same.fingerprint
    assert len({plain.fingerprint, prompted.fingerprint, strict.fingerprint}) == 3
    assert tag(strict, TEXT) == []
    with pytest.raises(ModelError, match=r"cannot read a passage \(.*\); set shorter prompts"):
        tag(plain, TEXT * 20)
    renamed = plain.with_label_map({"UNIT": "TROOP"}, "--map")
    assert "TROOP" in renamed.labels


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (('[prompts]\nHERO = "hero"',), "there is no label 'HERO'"),
        (('[prompts]\nUNIT = "x"\nROLE = "x"',), "two labels have the same prompt"),
        (("threshold = 2",), "threshold"),
    ],
)
def test_wrong_settings_are_refused(folder: Path, lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_model(write_model(folder, *lines))


def test_code_and_pickles_of_a_model_are_never_run(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(ModelError, match=r"no readable gliner_config\.json"):
        load_model(f"gliner:{model}")
    config = json.loads((folder / "gliner_config.json").read_text())
    (model / "gliner_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"no weights as safetensors; write it anew with"):
        load_model(f"gliner:{model}")
    (model / "model.safetensors").write_bytes(b"\0" * 8 + b"{}")
    with pytest.raises(ModelError, match=r"cannot be loaded \("):
        load_model(f"gliner:{model}")
    (model / "pytorch_model.bin").write_bytes(b"\x80\x02")
    with pytest.raises(InputError, match="pickled weights are never read"):
        load_model(f"gliner:{model}")
    (model / "gliner_config.json").write_text(json.dumps({**config, "encoder_config": None}))
    with pytest.raises(ModelError, match="lacks encoder_config"):
        load_model(f"gliner:{model}")
    config["encoder_config"]["auto_map"] = {"AutoModel": "someone/model--code.Model"}
    (model / "gliner_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="names code of its own, which is never run"):
        load_model(f"gliner:{model}")
