"""A session of three weeks in fast motion, by commands alone: people, rulings, a move, a restore.

The annotators work through doccano's API with their own accounts. They mark what the guidelines say
that they have, so that the gold at the end is known; one of them overlooks something.
"""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.session.folder import open_session
from orbat.annotation.utf16 import Utf16Offsets
from orbat.corpus.document import Document, Span
from orbat.corpus.files import read_documents, write_documents
from tests.conftest import Orbat

pytestmark = [pytest.mark.doccano, pytest.mark.slow]

PATTERNS = {
    "RANK": r"\bGen\.",
    "UNIT": r"\b\d+ Wing\b",
    "HQ": r"\bArmy Headquarters\b",  # a UNIT from version 2 of the guidelines on
    "VEHICLE": r"\bLeopard \d\b",  # a label from version 3 on
}
TEXTS = [
    "😀 Gen. Roe of 2 Wing visited Army Headquarters.",
    "Gen. Doe left Army Headquarters with a Leopard 2.",
    "3 Wing has no tanks.",
    "A Leopard 1 of 4 Wing stood at Army Headquarters; Gen. Poe drove.",
    "Nothing happened at Army Headquarters.",
    "5 Wing and 6 Wing met Gen. Moe.",
    "Gen. Lee sold a Leopard 2 to 7 Wing.",
    "8 Wing 🇫🇷 bought one Leopard 1 and one Leopard 2.",
]
LATER = ["Army Headquarters sent Gen. Kay 😀 to 9 Wing.", "A Leopard 2 and 10 Wing, Gen. Fay said."]
KNOWN = ["Gen. Ray of 11 Wing at Army Headquarters.", "12 Wing, not Gen. May."]


def marks(text: str, version: int, missed: str | None = None) -> tuple[Span, ...]:
    """Return the spans that a version of the guidelines asks for, except those overlooked."""
    found = []
    for kind, pattern in PATTERNS.items():
        if kind == missed or (kind == "HQ" and version < 2) or (kind == "VEHICLE" and version < 3):
            continue
        label = "UNIT" if kind == "HQ" else kind
        found += [Span(m.start(), m.end(), label) for m in re.finditer(pattern, text)]
    return tuple(sorted(found))


def documents(prefix: str, texts: list[str], version: int = 0) -> list[Document]:
    return [
        Document(f"{prefix}{number}", text, marks(text, version) if version else ())
        for number, text in enumerate(texts)
    ]


class Team:
    """The session, its server of the moment, and the annotators at their pages.

    Attributes:
        folder: the session.
        version: the guidelines that the annotators have.
    """

    def __init__(self, orbat: Orbat, base: Path) -> None:
        self._orbat = orbat
        self.base = base
        self.folder = base / "june"
        self.labels = base / "labels.toml"
        self.home = base / "first home"
        self.version = 1
        self._passwords: dict[str, str] = {}

    def __call__(self, *arguments: object, code: int = 0, home: Path | None = None) -> Any:
        """Run a command of `orbat annotate`; return what it printed."""
        env = {"ORBAT_DOCCANO_HOME": str(home or self.home)}
        outcome = self._orbat("annotate", *arguments, env=env)
        assert outcome.code == code, outcome
        return outcome

    def up(self, home: Path) -> str:
        """Start a server at a free port, and return its address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.home = home
        self("up", "--port", port)
        return f"http://127.0.0.1:{port}"

    def write_guidelines(self, version: int) -> None:
        """Write the label set and guidelines of a version."""
        rules = ["Mark ranks and wings.", "Army Headquarters is a UNIT.", "Tanks are VEHICLEs."]
        (self.base / "rules.md").write_text("\n\n".join(rules[:version]))
        names = ["UNIT", "RANK", *(["VEHICLE"] if version > 2 else [])]
        self.labels.write_text(
            'name = "june"\nguidelines = "rules.md"\n'
            + "".join(f'[[label]]\nname = "{name}"\nkey = "{name[0].lower()}"\n' for name in names)
        )

    def push(self, batch: list[Document], *annotators: str) -> None:
        write_documents(self.base / "batch.jsonl", batch)
        self(
            *("push", self.base / "batch.jsonl", "--session", self.folder, "--suggest", "none"),
            *("--annotators", ",".join(annotators), "--readers", 2, "--labels", self.labels),
        )

    def work(
        self,
        name: str,
        count: int | None = None,
        *,
        missed: str | None = None,
        folder: Path | None = None,
    ) -> int:
        """Let an annotator mark and confirm open documents; return how many."""
        session = open_session(folder or self.folder)
        project = session.projects[name]
        if name not in self._passwords:
            password = session.password(name)
            assert password is not None
            self._passwords[name] = password
        with DoccanoClient(session.url, name, self._passwords[name]) as client:
            types = {t.text: t.id for t in client.span_types(project)}
            todo = [e for e in client.examples(project) if not e.is_confirmed][:count]
            for example in todo:
                offsets = Utf16Offsets(example.text)
                wanted = {
                    (offsets.to_units(s.start), offsets.to_units(s.end), types[s.label])
                    for s in marks(example.text, self.version, missed)
                }
                for span in client.spans(project, example.id):
                    key = (span.start_offset, span.end_offset, span.label)
                    if key in wanted:
                        wanted.remove(key)
                    else:
                        client.delete_span(project, example.id, span.id)
                for key in sorted(wanted):
                    client.create_span(project, example.id, *key)
                client.confirm(project, example.id)
        return len(todo)


@pytest.fixture
def team(orbat: Orbat, tmp_path: Path) -> Iterator[Team]:
    team = Team(orbat, tmp_path)
    yield team
    for home in tmp_path.glob("*home"):
        DoccanoServer(home).down()


def test_three_weeks_end_with_the_expected_gold(
    team: Team, refused: Callable[..., str], tmp_path: Path
) -> None:
    # Week 1: four annotators, two readers of each document; the first ruling.
    team.up(tmp_path / "first home")
    team.write_guidelines(1)
    four = ("ww-ann", "ww-ben", "ww-cid", "ww-dora")
    team.push(documents("a", TEXTS), *four)
    for name in four:
        team.work(name, 2)
    team.write_guidelines(2)
    team.version = 2
    team.push(documents("a", TEXTS), *four)
    reopened = team(
        *("reopen", "--session", team.folder, "--ruling", "Army Headquarters", "--before", 2),
        *("--note", "It is a UNIT.", "--json"),
    ).json()["documents"]
    assert reopened
    assert {d["guidelines"] for d in reopened} == {1}
    assert all("Army Headquarters" in d["passage"] for d in reopened)
    for name in four:
        team.work(name, sum(d["annotator"] == name for d in reopened))

    # Week 2: ben leaves, eve qualifies and joins; a new label and the second ruling.
    before = open_session(team.folder)
    team("assign", "--session", team.folder, "--remove", "ww-ben")
    write_documents(tmp_path / "known.jsonl", documents("k", KNOWN, version=2))
    assert qualify(team) == "begun"
    (rounds,) = (team.folder / "qualification" / "ww-eve").iterdir()
    assert team.work("ww-eve", folder=rounds) == len(KNOWN)
    assert qualify(team) == "passed"
    team("assign", "--session", team.folder, "--add", "ww-eve")
    session = open_session(team.folder)
    assert "ww-ben" in session.paused
    assert session.assigned("ww-eve")
    assert set(session.assignments) == set(before.assignments)
    team.write_guidelines(3)
    team("labels", "--session", team.folder, "--labels", team.labels)
    team.version = 3
    now = ("ww-ann", "ww-cid", "ww-dora", "ww-eve")
    for tank in ("Leopard 1", "Leopard 2"):  # of those who can still work
        team(
            *("reopen", "--session", team.folder, "--ruling", tank, "--before", 3),
            *("--annotators", ",".join(now)),
        )
    team.push(documents("b", LATER), *now)
    for name in now:
        team.work(name, 1)

    # The server moves to another folder and port.
    team("down")
    shutil.move(team.home, tmp_path / "second home")
    url = team.up(tmp_path / "second home")
    assert f"on {url} from now on" in team("move", team.folder, "--url", url).out

    # Week 3: all but one finish; the server is lost, and the backup of the evening restored.
    for name in now[:-1]:
        team.work(name, missed="RANK" if name == "ww-dora" else None)
    team("pull", "--session", team.folder)
    team("backup", team.folder, tmp_path / "evening.zip")
    team("down")
    shutil.rmtree(team.home)
    shutil.rmtree(team.folder)
    team.up(tmp_path / "third home")
    team.folder = tmp_path / "june again"
    team("restore", tmp_path / "evening.zip", team.folder)
    assert qualify(team) == "passed"
    assert [r["changes"]["documents"] for r in pulled(team)] == [0] * 5
    assert team.work("ww-eve")
    assert sum(r["changes"]["documents"] for r in pulled(team)) > 0

    # The end: every document with two readings under the guidelines that it needs, in gold.
    files = [team.folder / "pulled" / f"{name}.jsonl" for name in (*four, "ww-eve")]
    gold_file = tmp_path / "gold.jsonl"
    team("adjudicate", *files, "--output", gold_file, "--policy", "union", "--labels", team.labels)
    gold = {document.id: document for document in read_documents(gold_file)}
    expected = {d.id: d for d in (*documents("a", TEXTS, 3), *documents("b", LATER, 3))}
    assert {id_: gold[id_].text for id_ in gold} == {id_: expected[id_].text for id_ in expected}
    assert {id_: gold[id_].spans for id_ in gold} == {id_: expected[id_].spans for id_ in expected}


def pulled(team: Team) -> list[dict[str, Any]]:
    return team("pull", "--session", team.folder, "--json").json()


def qualify(team: Team) -> str:
    """Begin or score eve's qualification under the second guidelines."""
    outcome = team(
        *("qualify", team.base / "known.jsonl", "--session", team.folder, "--json"),
        *("--annotators", "ww-eve", "--labels", team.labels),
    )
    return str(outcome.json()[0]["verdict"])
