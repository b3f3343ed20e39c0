"""All ways into orbat that damaged input takes: articles, sources, settings, folders, addresses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import zstandard

from orbat.annotation.adjudication.annotation_sets import read_confirmed
from orbat.annotation.adjudication.questions import Question, read_questions, write_questions
from orbat.annotation.formats.imported import ReadOptions
from orbat.annotation.formats.registry import FORMATS
from orbat.annotation.session.accounts import read_password
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.history import Version, VersionSpan, add_versions, read_versions
from orbat.corpus.addresses import check_address, hide_password, is_public, split_address
from orbat.corpus.analysis.provenance import trace_document
from orbat.corpus.document import Document, Span, document_to_json, parse_document
from orbat.corpus.files import sha256_file, write_documents, write_json
from orbat.corpus.ingestion.preparation import prepare_locally
from orbat.corpus.ingestion.sources import SourceOptions
from orbat.corpus.ingestion.web.feeds import FeedLog, FeedVisit
from orbat.corpus.ingestion.web.fetching import Fetcher, FetchRules
from orbat.corpus.labels import DEFAULT_LABELS, load_guidelines, load_labels
from orbat.corpus.rejected import Rejected
from orbat.errors import InputError
from orbat.models.loading import load_model, read_evaluations
from orbat.training.baselines.rules import RuleTagger
from orbat.training.data import TrainingData
from orbat.training.recipe import SHIPPED_RECIPES, load_recipe
from orbat.training.run_folder import HASHES_FILE
from orbat.training.train import train
from orbat.training.value_tables import load_value_tables
from tests.annotation.formats.test_fuzz import DOCUMENTS, check_reading, make_samples, read_files
from tests.campaign.hostile_inputs import Reader
from tests.corpus.test_feeds import ATOM, BODY, ESCAPED, LINK, RSS
from tests.corpus.test_ingestion import PAGE
from tests.corpus.test_messages import TEXT, mail, saved_page
from tests.corpus.test_sources import parquet, pdf, zipped
from tests.corpus.test_warc import chunked, record
from tests.damage import Files

Pack = Callable[[bytes], bytes]
_CLOSED_SITE = FetchRules(pause=0, timeout=5, obey_robots=False)
"""Rules by which no test reaches the Internet: feeds are given with addresses of this machine."""


def make_readers(folder: Path) -> list[Reader]:
    """Return all readers, each with a small valid source."""
    folder.mkdir()
    return [
        *_article_readers(folder),
        *_source_readers(folder),
        *_setting_readers(folder),
        *_session_readers(folder),
        *_run_readers(folder),
        *_address_readers(),
    ]


# -- articles ---------------------------------------------------------------------------------


def _article_readers(folder: Path) -> list[Reader]:
    records = [
        {"id": "a", "text": TEXT, "spans": [{"start": 0, "end": 3, "label": "UNIT"}], "meta": {}},
        {"id": "b", "text": f"{TEXT} {TEXT}", "source": "x", "date": "2024-05-06"},
    ]
    lines = "".join(json.dumps(item) + "\n" for item in records).encode()
    table = f'id,text,source\na,"{TEXT}",x\nb,"Two,\n lines",\n'.encode()
    box = b"\n".join(b"From a@b.c Mon May  6 10:00:00 2024\n" + m for m in [mail(TEXT)] * 2)
    page, link = PAGE.encode(), LINK.replace("a.org", "127.0.0.1:9")
    packed = record(gzip.compress(page), "Content-Encoding: gzip")
    in_chunks = record(chunked(page), "Transfer-Encoding: chunked")
    cells = parquet(folder / "a.parquet", [{"id": "a", "text": TEXT}, {"id": "b", "text": "Two."}])
    return [
        _article(".txt", TEXT.encode()),
        _article(".html", page),
        _article(".eml", mail(TEXT, html=PAGE, attach="a.pdf")),
        _article(".mhtml", saved_page()),
        _article(".mbox", box),
        _article(".pdf", pdf(TEXT)),
        _article(".jsonl", lines),
        _article(".jsonl.gz", lines, gzip.compress),
        _article(".json", json.dumps(records).encode()),
        _article(".csv", table),
        _article(".tsv", table.replace(b",", b"\t")),
        _article(".parquet", cells.read_bytes()),
        _article(".warc", packed + in_chunks),
        _article(".warc.gz", packed + in_chunks, gzip.compress),
        _article(".warc.zst", packed, zstandard.compress),
        _article(".zip", zipped(a_txt=TEXT.encode(), b_jsonl=lines)),
        _article(".gz.zip", lines, lambda content: zipped(b_jsonl=content)),
        _article(".rss", RSS.format("utf-8", link, BODY).encode()),
        _article(".atom", ATOM.format("html", ESCAPED).replace("a.org", "127.0.0.1:9").encode()),
        _article(".dat", TEXT.encode()),
    ]


def _article(suffix: str, content: bytes, pack: Pack = bytes) -> Reader:
    return Reader("articles", f"corpus add {suffix}", {"": content}, suffix, _add, pack)


def _add(path: Path) -> None:
    """Prepare the articles of a file as `corpus add` does, each a document or one line."""
    options = SourceOptions(rules=_CLOSED_SITE)
    for article in prepare_locally([path], options, lambda key: False):
        if isinstance(article, Rejected):
            assert len(str(article).splitlines()) == 1, article
        elif article.document is not None:
            _check_document(article.document)


def _check_document(document: Document) -> None:
    line = json.dumps(document_to_json(document), ensure_ascii=False, allow_nan=False).encode()
    assert parse_document(json.loads(line), "f") == document


# -- annotated sources ------------------------------------------------------------------------


def _source_readers(folder: Path) -> list[Reader]:
    (folder / "formats").mkdir()
    samples = make_samples(folder / "formats")
    readers = [_source(name, files) for name, files in samples.items()]
    content = samples["jsonl"][""]
    return [*readers, _source("jsonl", {"": content}, ".zip", lambda c: zipped(a_jsonl=c))]


def _source(name: str, files: Files, suffix: str = "", pack: Pack = bytes) -> Reader:
    def read(path: Path) -> None:
        for options in (ReadOptions(), ReadOptions(predictions=True, by_annotator=True)):
            check_reading(path, name, options, skip_bad=options.predictions)

    suffix = suffix or FORMATS[name].suffix
    return Reader("annotated sources", f"convert --from {name}{suffix}", files, suffix, read, pack)


# -- settings ---------------------------------------------------------------------------------

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


def _setting_readers(folder: Path) -> list[Reader]:
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
        Reader("settings", "recipe", {"": recipe}, ".toml", lambda p: load_recipe(str(p))),
        Reader("settings", "--set", {"": b"epochs=3"}, ".set", _load_setting),
        Reader("settings", "label set", labels, "", _load_labels),
        Reader("settings", "gazetteer", gazetteer, "", _load_gazetteer),
        Reader("settings", "feed log", {"": (folder / "log.json").read_bytes()}, ".json", FeedLog),
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


# -- folders ----------------------------------------------------------------------------------


def _session_readers(folder: Path) -> list[Reader]:
    place = folder / "session"
    first, second, _ = DOCUMENTS
    labels = load_labels()
    session = Session(
        place, "http://127.0.0.1:8000", labels, {"ann": 1}, {first.id: None, second.id: "ann"}
    )
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
    return [Reader("folders", "labeling session", read_files(place), "", _open_session)]


def _open_session(path: Path) -> None:
    """Read each file of a session, whatever is wrong with the others."""
    for read in (
        lambda: open_session(path).documents(),
        lambda: read_versions(path),
        lambda: read_password(path, "ann"),
        lambda: read_confirmed(path / "pulled" / "ann.jsonl", None),
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
        Reader("folders", "run", files, "", _load_run),
        Reader("folders", "run with new hashes", files, "", _load_run_with_new_hashes),
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


# -- addresses --------------------------------------------------------------------------------


def _address_readers() -> list[Reader]:
    addresses = [
        "http://user:word@127.0.0.1:9/a?b=c#d",
        "https://[::ffff:127.0.0.1]:9/a",
        "http://2130706433/a%00b",
        "http://localhost/é",
        "http://10.0.0.1.:9/",
    ]
    return [
        Reader("addresses", address, {"": address.encode()}, ".url", _visit)
        for address in addresses
    ]


def _visit(path: Path) -> None:
    address = path.read_bytes().decode("utf-8", "surrogateescape")[:5000]
    hide_password(address)
    for check in (split_address, lambda url: check_address(url, "--url"), _fetch, _check_ip):
        try:
            check(address)
        except InputError as error:
            assert len(str(error).splitlines()) == 1


def _check_ip(address: str) -> None:
    """Check the host if it is an IP address, as the resolver gives them."""
    host = split_address(address).hostname or ""
    try:
        is_public(host)
    except ValueError:
        return


def _fetch(address: str) -> None:
    fetcher = Fetcher(_CLOSED_SITE)
    try:
        fetcher.fetch(address)
    finally:
        fetcher.close()
