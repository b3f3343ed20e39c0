"""Publishing on the Hugging Face Hub: exactly what is listed leaves, to where it is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.errors import InputError, ServerError
from orbat.models.hub.cards import wheel_card_for_hub
from orbat.models.hub.contents import HubContents, HubFile, gold_contents, model_contents
from orbat.models.hub.publishing import HubTarget, make_target, publish
from tests.conftest import Orbat
from tests.german_news import german_news
from tests.models import token_classifiers
from tests.models.hub_server import HubServer
from tests.serving import serving

pytestmark = pytest.mark.slow
ENVIRONMENT = {"HF_TOKEN": "t", "HF_HUB_DISABLE_XET": "1"}
"""Large files are sent as to servers without Xet."""


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with serving(HubServer()) as server:
        yield server


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    token_classifiers.save(folder, "Bert", token_classifiers.word_piece(lowercase=True))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# Mine\n")
    for name in ("optimizer.pt", ".env", ".secret.json", "train.jsonl", "notes.txt"):
        (folder / name).write_text("x")
    return folder


def metadata(card: bytes) -> Any:
    return yaml.safe_load(card.decode().split("---\n")[1])


def test_a_wheel_and_gold_are_published_with_their_cards(
    orbat: Orbat, hub: HubServer, wheel: Path, tmp_path: Path, dev_articles: list[Document]
) -> None:
    gold = tmp_path / "gold.jsonl"
    write_documents(gold, dev_articles[:3])
    arguments = ("publish", wheel, "--to", "me/news", "--endpoint", hub.url, "--gold", gold)
    arguments = (*arguments, "--gold-license", "CC0-1.0")
    env = {**ENVIRONMENT, "HF_TOKEN": "hf_secret"}
    plan = orbat(*arguments, "--dry-run", "--json", env=env)
    assert plan.code == 0, plan.err
    assert hub.requests == []
    done = orbat(*arguments, env=env)
    assert done.code == 0, done.err
    assert f"published: {hub.url}/me/news/commit/" in done.out
    assert f"{hub.url}/datasets/me/news (dataset, private)" in done.out
    assert "manifest.json in the wheel has ids, hashes and addresses" in done.out
    assert "gold.jsonl has the texts of all documents: 3" in done.out
    # What the dry run lists, and nothing else, is there.
    listed = [{f["path"]: f["bytes"] for f in part["files"]} for part in plan.json()]
    stored = [{path: len(c) for path, c in files.items()} for files in hub.files.values()]
    assert listed == stored
    assert hub.private == {"models/me/news": True, "datasets/me/news": True}
    assert hub.tokens == {"Bearer hf_secret"}
    assert hub.files["models/me/news"][wheel.name] == wheel.read_bytes()
    card = hub.files["models/me/news"]["README.md"]
    assert b"\n# en_orbat_news 0.1.0\n" in card
    assert metadata(card)["library_name"] == "spacy"
    assert metadata(card)["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert metadata(card)["license"] == "apache-2.0"
    assert "UNIT" in metadata(card)["tags"]
    assert hub.files["datasets/me/news"]["data/gold.jsonl"] == gold.read_bytes()
    facts = metadata(hub.files["datasets/me/news"]["README.md"])
    assert facts["license"] == "cc0-1.0"
    assert facts["configs"][0]["data_files"] == "data/gold.jsonl"
    assert "hf_secret" not in done.out + done.err


def test_the_model_that_a_wheel_was_made_from_is_named() -> None:
    facts: dict[str, Any] = {"lang": "xx", "labels": {"orbat_ner": ["ORT"]}}
    for base, expected in (
        ({"name": "org/model", "license": "mit"}, "org/model"),
        ({"name": "/home/ann/checkpoint", "fine_tuned_from": "org/base"}, "org/base"),
        ({"name": "/home/ann/checkpoint"}, None),
    ):
        card = wheel_card_for_hub("# Card\n", json.dumps({**facts, "base_model": base}).encode())
        assert metadata(card).get("base_model") == expected
        assert "language" not in metadata(card)


def test_a_model_without_a_license_is_named(checkpoint: Path, tmp_path: Path) -> None:
    assert not any("license" in note for note in model_contents(checkpoint, tmp_path).notes)
    folder = Path(shutil.copytree(checkpoint, tmp_path / "other"))
    (folder / "README.md").write_text("# Mine\n")
    missing = "the license of the weights is not stated; write it into the metadata of its card"
    assert f"{missing} (README.md)" in model_contents(folder, tmp_path).notes


def test_gold_of_any_kind_is_described_and_a_missing_license_named(
    orbat: Orbat, checkpoint: Path, tmp_path: Path
) -> None:
    gold = tmp_path / "orte.jsonl"
    write_documents(gold, german_news()[:1])
    missing = "the license of orte.jsonl is not stated; name it with --gold-license"
    outcome = orbat("publish", checkpoint, "--to", "me/orte", "--gold", gold, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert missing in outcome.out
    contents = gold_contents(gold, None)
    assert isinstance(contents.files[0].content, bytes)
    card = contents.files[0].content.decode()
    assert "Texts with named entities. Documents: 1; words: " in card
    assert "article" not in card.lower() and "news" not in card.lower()
    assert "## License\n\nNot stated." in card
    assert missing not in gold_contents(gold, "cc0-1.0").notes


def test_of_a_checkpoint_only_the_model_is_published(
    orbat: Orbat, hub: HubServer, checkpoint: Path
) -> None:
    arguments = ("publish", checkpoint, "--to", "me/bert", "--public", "--endpoint", hub.url)
    done = orbat(*arguments, env=ENVIRONMENT)
    assert done.code == 0, done.err
    files = hub.files["models/me/bert"]
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= set(files)
    assert not {"optimizer.pt", ".env", ".secret.json", "train.jsonl"} & set(files)
    assert "left out: .env, .secret.json, optimizer.pt, train.jsonl" in done.out
    assert all(content == (checkpoint / path).read_bytes() for path, content in files.items())
    assert hub.private == {"models/me/bert": False}


CONTENTS = HubContents("model", (HubFile("README.md", b"# Card\n"),))


def test_a_public_repository_gets_nothing_unless_it_is_asked_for(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "t")
    hub.private = {"models/me/open": False, "models/me/closed": True}
    with pytest.raises(InputError, match=r"me/open: exists and is public; pass --public"):
        publish(CONTENTS, HubTarget("me/open", hub.url))
    assert hub.files == {}
    assert hub.requests == ["GET /api/models/me/open"]
    publish(CONTENTS, HubTarget("me/open", hub.url, public=True))
    publish(CONTENTS, HubTarget("me/closed", hub.url))
    assert hub.files["models/me/closed"] == hub.files["models/me/open"] != {}
    assert "POST /api/repos/create" not in hub.requests


def test_a_token_of_the_hub_reaches_no_other_server(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN", raising=False)
    (tmp_path / "token").write_text("hf_login")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(InputError, match=f"{hub.url}: no token; set HF_TOKEN"):
        publish(CONTENTS, HubTarget("me/x", hub.url))
    assert hub.requests == []
    with pytest.raises(InputError, match="others could read the token; use https"):
        make_target("me/x", "http://hub.example.org", public=False)


def test_a_server_that_refuses_is_one_line_of_error(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "t")
    hub.refusal = 403
    with pytest.raises(ServerError, match=r"me/x: not published \(.*403.*check the name"):
        publish(CONTENTS, HubTarget("me/x", hub.url))


def test_what_is_no_model_and_what_has_no_gold_is_refused(
    refused: Callable[..., str], rules_run: Path, wheel: Path, tmp_path: Path, checkpoint: Path
) -> None:
    to = ("--to", "me/x", "--dry-run")
    assert "write OWNER/NAME" in refused("publish", wheel, "--to", "x", "--dry-run")
    assert "name a run, a checkpoint" in refused("publish", tmp_path / "none", *to)
    assert "publish its wheel (orbat package)" in refused("publish", rules_run, *to)
    (tmp_path / "x.whl").write_bytes(wheel.read_bytes()[:-100])
    assert "not a complete wheel" in refused("publish", tmp_path / "x.whl", *to)
    write_documents(tmp_path / "none.jsonl", [])
    line = refused("publish", checkpoint, *to, "--gold", tmp_path / "none.jsonl")
    assert "none.jsonl: is empty" in line
    assert "need --gold" in refused("publish", checkpoint, *to, "--gold-license", "mit")


def test_a_run_is_published_as_its_checkpoint(
    orbat: Orbat, tmp_path: Path, train_articles: list[Document]
) -> None:
    for name, part in (("train", train_articles[:6]), ("dev", train_articles[6:9])):
        write_documents(tmp_path / f"{name}.jsonl", part)
    trained = orbat(
        *("train", "transformers", "--train", tmp_path / "train.jsonl"),
        *("--dev", tmp_path / "dev.jsonl", "--output", tmp_path / "run"),
        *("--set", "epochs=1", "--set", "layers=1"),
    )
    assert trained.code == 0, trained.err
    contents = model_contents(tmp_path / "run", tmp_path)
    names = {file.path for file in contents.files}
    assert {"README.md", "config.json", "model.safetensors", "manifest.json"} <= names
    assert not any("train.jsonl" in name or "dev.jsonl" in name for name in names)
    assert contents.left_out == ()
