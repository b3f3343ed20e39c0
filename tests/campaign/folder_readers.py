"""Ways into orbat for settings, and for the folders of labeling sessions and runs."""

from __future__ import annotations

import json
from pathlib import Path

from orbat.annotation.adjudication.annotation_sets import read_annotation_set
from orbat.annotation.adjudication.questions import Question, read_questions, write_questions
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.history import Version, VersionSpan, add_versions, read_versions
from orbat.corpus.analysis.provenance import trace_document
from orbat.corpus.document import Span
from orbat.corpus.files import sha256_file, write_documents, write_json
from orbat.corpus.ingestion.web.feeds import FeedLog, FeedVisit
from orbat.corpus.labels import DEFAULT_LABELS, load_guidelines, load_labels
from orbat.errors import InputError
from orbat.models.loading import load_model
from orbat.models.model import read_evaluations
from orbat.training.baselines.rules import RuleTagger
from orbat.training.data import TrainingData
from orbat.training.recipe import SHIPPED_RECIPES, load_recipe
from orbat.training.run_folder import HASHES_FILE
from orbat.training.train import train
from orbat.training.value_tables import load_value_tables
from tests.annotation.formats.test_fuzz import DOCUMENTS, read_files
from tests.campaign.hostile_inputs import Reader

_SERVER = "http://127.0.0.1:8000"
_GAZETTEER = """[spellings]
defence = "defense"
[context]
file = "cues.csv"
[[phrases]]
file = "names.jsonl"
label = "UNIT"
fields = ["name", "forms"]
match = "name"
ambiguous = "short"
[[patterns]]
file = "patterns.jsonl"
[[values]]
label = "UNIT"
file = "names.jsonl"
words = "words.csv"
forms = ["name", "forms"]
fields = { country = "country", size = "size" }
context = ["country"]
id = ["size"]
"""


def setting_readers(folder: Path) -> list[Reader]:
    recipe = (SHIPPED_RECIPES / "default.toml").read_bytes()
    name = {"name": "3rd Brigade", "forms": ["3 Bde"], "short": ["3 Bde"], "country": "X;Y"}
    pattern = {
        "label": "UNIT",
        "pattern": [{"LOWER": {"IN": ["a", "b"]}, "OP": "+"}, {"TEXT": "c"}],
    }
    gazetteer = {
        "gazetteer.toml": _GAZETTEER.encode(),
        "names.jsonl": json.dumps(name | {"country": ["X"]}).encode() + b"\n",
        "patterns.jsonl": json.dumps(pattern).encode() + b"\n",
        "words.csv": b"phrase,field,value\nbrigade,size,brigade\n",
        "cues.csv": b"phrase,field,value,kind\nKidal,country,X,place\n",
    }
    labels = {
        "labels.toml": DEFAULT_LABELS.read_bytes(),
        "guidelines.md": b"# Guidelines\n\n- a\n",
    }
    log = FeedLog(folder / "log.json")
    log.record("http://a.org/f", FeedVisit("1", "2", ["g1", "g2"]))
    log.save()
    return [
        Reader("recipe", {"": recipe}, ".toml", lambda p: load_recipe(str(p))),
        Reader("--set", {"": b"epochs=3"}, ".set", _load_setting),
        Reader("label set", labels, "", _load_labels),
        Reader("gazetteer", gazetteer, "", _load_gazetteer),
        Reader("feed log", {"": (folder / "log.json").read_bytes()}, ".json", FeedLog),
    ]


def _load_setting(path: Path) -> None:
    load_recipe("default", [path.read_bytes().decode("utf-8", "surrogateescape")])


def _load_labels(path: Path) -> None:
    labels = load_labels(path / "labels.toml")
    load_guidelines(labels, path / "labels.toml")


def _load_gazetteer(path: Path) -> None:
    """Load a gazetteer; how long its expressions take on a text is its author's affair."""
    RuleTagger.from_file(path / "gazetteer.toml", load_labels().names)
    load_value_tables(path / "gazetteer.toml")


def folder_readers(folder: Path) -> list[Reader]:
    """Return the readers of sessions and runs."""
    return [*_session_readers(folder), *_run_readers(folder)]


def _session_readers(folder: Path) -> list[Reader]:
    place = folder / "session"
    first, second, _ = DOCUMENTS
    labels = load_labels()
    session = Session(place, _SERVER, labels, {"ann": 1}, {first.id: None, second.id: "ann"})
    place.mkdir()
    session.save()
    write_json(place / "accounts.json", {"ann": "secret"})
    write_documents(session.pushed_path("ann"), DOCUMENTS)
    write_documents(place / "pulled" / "ann.jsonl", DOCUMENTS)
    time = "2026-01-01T09:00:00+00:00"
    span = VersionSpan(0, 4, "RANK", "ann", time, time)
    add_versions(place, "ann", [Version(first.id, "ann", time, "ann", time, (span,))])
    option = (Span(0, 4, "RANK"), Span(4, 8, "UNIT"))
    write_questions(place, [Question("a#0-4", "a", "x", (option, ()))])
    return [Reader("labeling session", read_files(place), "", _open_session)]


def _open_session(path: Path) -> None:
    """Read each file of a session, whatever is wrong with the others."""
    for read in (
        lambda: open_session(path).documents(),
        lambda: read_versions(path),
        lambda: read_password(_SERVER, path, "ann"),
        lambda: read_annotation_set(path / "pulled" / "ann.jsonl", None),
        lambda: read_questions(path),
        lambda: trace_document("one", [path]),
    ):
        try:
            read()
        except InputError as error:
            assert len(str(error).splitlines()) == 1


def _run_readers(folder: Path) -> list[Reader]:
    (folder / "lists").mkdir()
    (folder / "lists" / "gazetteer.toml").write_text("")
    recipe = load_recipe("baseline-rules", [f"gazetteer={folder / 'lists' / 'gazetteer.toml'}"])
    data, labels = TrainingData(DOCUMENTS, DOCUMENTS), load_labels()
    train(recipe, data, labels, folder / "run")
    write_json(folder / "run" / "evaluations" / "gold.json", {"gold_sha256": "x", "scores": {}})
    files = read_files(folder / "run")
    files.pop(".lock")
    return [
        Reader("run", files, "", _load_run),
        Reader("run with new hashes", files, "", _load_run_with_new_hashes),
    ]


def _load_run(path: Path) -> None:
    load_model(path)
    read_evaluations(path)
    trace_document("one", [path])


def _load_run_with_new_hashes(path: Path) -> None:
    """Load a run whose damaged files have the hashes of the damage, as someone else may write."""
    hashes = {
        name.relative_to(path).as_posix(): sha256_file(name)
        for name in path.rglob("*")
        if name.is_file() and name.name != HASHES_FILE and "evaluations" not in name.parts
    }
    write_json(path / HASHES_FILE, hashes)
    _load_run(path)
