"""The wheel: what downstream developers install."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.models.export import export_onnx, optimize
from orbat.models.runtime import OnnxNetwork
from orbat.training.recipe import load_recipe
from orbat.training.tagger.tagger import NeuralTagger
from orbat.training.transformer.model_folder import load_network, load_tagger
from tests.conftest import ROOT, Orbat, Trained
from tests.corpus.test_document import HARD_TEXT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed by pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--disable-pip-version-check", "--target", str(folder), str(wheel)),
        ],
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def nlp(installed: Path) -> Iterator[Any]:
    import spacy

    sys.path.insert(0, str(installed))
    try:
        yield spacy.load("en_orbat_news")
    finally:
        sys.path.remove(str(installed))


def entities(doc: Any) -> list[tuple[int, int, str]]:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


def spans(document: Document) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label) for span in document.spans]


def test_the_wheel_carries_one_package_and_few_needs(wheel: Path) -> None:
    assert wheel.name == "en_orbat_news-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read("en_orbat_news-0.1.0.dist-info/METADATA").decode()
    assert {name.split("/")[0] for name in names} == {
        *("en_orbat_news", "en_orbat_news-0.1.0.dist-info")
    }
    needs = {
        line.split()[1].split(">")[0] for line in metadata.splitlines() if "Requires-Dist" in line
    }
    assert needs == {"spacy", "onnxruntime", "tokenizers", "numpy"}


def test_packaging_again_gives_the_same_bytes(
    orbat: Orbat, trained: Trained, wheel: Path, tmp_path: Path
) -> None:
    assert orbat("package", trained.run, "--output", tmp_path).code == 0
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_float_network_finds_on_onnxruntime_what_it_finds_on_torch(
    trained: Trained, test_articles: list[Document], tmp_path: Path
) -> None:
    network, config = load_network(trained.run)
    export_onnx(network, tmp_path / "plain.onnx")
    optimize(tmp_path / "plain.onnx", tmp_path / "float32.onnx")
    wanted = load_tagger(trained.run)
    exported = NeuralTagger(
        OnnxNetwork((tmp_path / "float32.onnx").read_bytes()),
        wanted.tokenizer,
        config,
        wanted.find_phrases,
    )
    found = [
        [
            [(mention.start, mention.end, mention.label) for mention in mentions]
            for mentions in tagger.tag([document.text for document in test_articles])
        ]
        for tagger in (wanted, exported)
    ]
    assert sum(map(len, found[0])) > 100
    assert found[1] == found[0]


def test_it_loads_without_torch_or_this_checkout(installed: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "for name in ('torch', 'transformers', 'training', 'models', 'corpus', 'annotation'):\n"
        "    sys.modules[name] = None\n"
        "import spacy; nlp = spacy.load('en_orbat_news'); doc = nlp('Gen. Ann Doe')\n"
        "print(nlp.pipe_names, nlp.meta['performance']['ents_f'] is not None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(installed)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['orbat_ner'] True"


def test_the_readmes_lines_work_where_nothing_else_is_installed(
    wheel: Path, tmp_path: Path
) -> None:
    """An environment of its own, into which pip installs the wheel and what it asks for."""
    readme = (ROOT / "README.md").read_text()
    section = readme[readme.index("## Downstream developers") :]
    script = section.split("```python\n")[1].split("```")[0]
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", str(bare)], check=True)
    python = (str(bare / "bin" / "python"), "-I")
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([*python, "-m", "pip", "install", *quiet, str(wheel)], check=True)
    done = subprocess.run(
        [*python, "-c", script], capture_output=True, text=True, cwd=tmp_path, env={}
    )
    assert done.returncode == 0, done.stderr
    found = [line.rsplit(maxsplit=2) for line in done.stdout.splitlines()]
    assert found
    assert all(label.isupper() and 0 < float(sure) <= 1 for _, label, sure in found)
    listed = [*python, "-m", "pip", "list", *quiet[1:]]
    installed = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    assert "onnxruntime" in installed
    assert not {"torch", "transformers", "orbat"} & set(installed.split())


def test_entities_are_those_that_orbat_tag_finds(
    orbat: Orbat, nlp: Any, wheel: Path, test_articles: list[Document], tmp_path: Path
) -> None:
    write_documents(tmp_path / "in.jsonl", test_articles[:8])
    outcome = orbat("tag", wheel, tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 0, outcome.err
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    assert [(d.id, d.text, d.meta) for d in tagged] == [
        (d.id, d.text, d.meta) for d in test_articles[:8]
    ]
    texts = [document.text for document in tagged]
    assert sum(len(document.spans) for document in tagged) > 20
    one_by_one = [nlp(text) for text in texts]
    assert [entities(doc) for doc in one_by_one] == [spans(document) for document in tagged]
    assert [entities(doc) for doc in nlp.pipe(texts)] == [entities(doc) for doc in one_by_one]
    assert [doc.text for doc in one_by_one] == texts
    scores = [ent._.confidence for doc in one_by_one for ent in doc.ents]
    assert all(0 < score <= 1 for score in scores)


def test_a_long_text_is_tagged_to_its_end(nlp: Any, test_articles: list[Document]) -> None:
    part = "\n".join(document.text for document in test_articles[:4])
    repeats = 50_000 // len(part.split()) + 1
    text = part * repeats
    doc = nlp(text)
    (piped,) = nlp.pipe([text])
    assert entities(piped) == entities(doc)
    assert len(doc.text.split()) >= 50_000
    thirds = [0, 0, 0]
    for start, _, _ in entities(doc):
        thirds[3 * start // len(text)] += 1
    assert min(thirds) > 0.9 * max(thirds) > 0


def test_entities_keep_to_characters_where_spacys_tokens_do_not(nlp: Any) -> None:
    from en_orbat_news.component import set_entities
    from en_orbat_news.tagger.mentions import Mention

    text = "the 101st-led raid"
    doc = nlp.make_doc(text)
    set_entities(doc, [Mention(4, 6, "UNIT", 0.9)])
    assert doc.text == text
    assert entities(doc) == [(4, 6, "UNIT")]
    assert doc.ents[0]._.confidence == 0.9


def test_entities_of_earlier_components_stay(nlp: Any, test_articles: list[Document]) -> None:
    text = next(d.text for d in test_articles if nlp(d.text).ents)
    first = nlp(text).ents[0]
    ruler = nlp.add_pipe("entity_ruler", before="orbat_ner")
    try:
        ruler.add_patterns([{"label": "OTHER", "pattern": first.text}])
        found = {ent.label_ for ent in nlp(text).ents if ent.text == first.text}
        assert found == {"OTHER"}
    finally:
        nlp.remove_pipe("entity_ruler")


def test_it_can_be_written_read_and_run_in_processes(
    nlp: Any, test_articles: list[Document], tmp_path: Path
) -> None:
    import spacy

    texts = [document.text for document in test_articles[:6]]
    wanted = [entities(doc) for doc in nlp.pipe(texts)]
    nlp.to_disk(tmp_path / "copy")
    again = spacy.load(tmp_path / "copy")
    assert [entities(doc) for doc in again.pipe(texts)] == wanted
    from_bytes = spacy.blank("en")
    from_bytes.add_pipe("orbat_ner")
    from_bytes.from_bytes(nlp.to_bytes())
    assert [entities(doc) for doc in from_bytes.pipe(texts)] == wanted
    assert [entities(d) for d in nlp.pipe(texts, n_process=2, batch_size=2)] == wanted


def test_it_runs_in_threads_and_after_a_fork(nlp: Any, test_articles: list[Document]) -> None:
    texts = [document.text for document in test_articles[:6]]
    wanted = [entities(nlp(text)) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert [entities(doc) for doc in threads.map(nlp, texts * 3)] == wanted * 3
    _PIPELINE[:] = [nlp]
    with multiprocessing.get_context("fork").Pool(1) as forked:
        assert forked.map(_found_in, texts[:2]) == wanted[:2]


_PIPELINE: list[Any] = []


def _found_in(text: str) -> list[tuple[int, int, str]]:
    return entities(_PIPELINE[0](text))


def test_it_sits_beside_other_pipelines(nlp: Any, test_articles: list[Document]) -> None:
    import spacy

    text = next(d.text for d in test_articles if len(nlp(d.text).ents) > 3)
    found = entities(nlp(text))
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    other.add_pipe("orbat_ner", source=nlp)
    assert entities(other(text)) == found
    with other.select_pipes(disable="orbat_ner"):
        assert not other(text).ents
    spans = spacy.load(
        "en_orbat_news", config={"components": {"orbat_ner": {"spans_key": "orbat"}}}
    )
    ruler = spans.add_pipe("span_ruler", before="orbat_ner", config={"spans_key": "rules"})
    ruler.add_patterns([{"label": "THE", "pattern": "the"}])
    doc = spans(text)
    assert not doc.ents
    assert [(s.start_char, s.end_char, s.label_) for s in doc.spans["orbat"]] == found
    assert all(0 < span._.confidence <= 1 for span in doc.spans["orbat"])
    assert {span.text for span in doc.spans["rules"]} == {"the"}


def test_a_changed_file_is_found_when_it_is_loaded(
    refused: Callable[..., str], installed: Path, tmp_path: Path
) -> None:
    import spacy

    whole = next(installed.glob("en_orbat_news/en_orbat_news-*"))
    for name in ("model.onnx", "gazetteer.json", "tagger.json", "sha256.json"):
        folder = tmp_path / name
        shutil.copytree(whole, folder)
        path = folder / "orbat_ner" / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"."):
            spacy.load(folder)
        line = refused("tag", folder, tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
        assert "cannot be loaded" in line


def test_five_million_characters_are_tagged(nlp: Any, test_articles: list[Document]) -> None:
    text = test_articles[0].text
    padding = " \n" * 2_500_000
    tagger = nlp.get_pipe("orbat_ner").tagger
    short, long = tagger.tag([text, padding + text])
    assert short
    assert [(m.start - len(padding), m.end - len(padding), m.label) for m in long] == [
        (m.start, m.end, m.label) for m in short
    ]


@pytest.mark.parametrize("text", ["", " ", "😀" * 50, "x" * 100_000, HARD_TEXT, "a\0b"])
def test_odd_texts_get_an_answer(nlp: Any, text: str) -> None:
    assert nlp(text).text == text


def test_the_card_carries_the_scores(
    orbat: Orbat, trained: Trained, test_articles: list[Document], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    write_documents(tmp_path / "held-out.jsonl", test_articles[:6])
    value = orbat("evaluate", run, tmp_path / "held-out.jsonl", "--json").json()
    assert (
        orbat("package", run, "--output", tmp_path, "--name", "mine", "--version", "2.0").code == 0
    )
    card = (tmp_path / "MODEL_CARD.md").read_text()
    assert "### Held out: held-out.jsonl (6 documents)" in card
    assert f"{value['strict']['micro']['f1']:.3f}" in card
    (tmp_path / "recipe.toml").write_text(card.split("```toml\n")[1].split("```")[0])
    manifest = json.loads((run / "manifest.json").read_text())
    recipe = load_recipe(str(tmp_path / "recipe.toml"))
    assert recipe.model_dump(mode="json") == manifest["recipe"]
    with zipfile.ZipFile(tmp_path / "en_mine-2.0-py3-none-any.whl") as archive:
        assert archive.read("en_mine/README.md").decode() == card
        manifest_in_wheel = json.loads(archive.read("en_mine/en_mine-2.0/orbat_ner/manifest.json"))
    assert [entry["id"] for entry in manifest_in_wheel["documents"]["train"]]


def test_text_and_web_pages_can_be_tagged(orbat: Orbat, wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    note = "  Gen. Ann Doe\r\n\tmet the Defence Secretary.  "
    (tmp_path / "in" / "note.txt").write_bytes(note.encode())
    (tmp_path / "in" / "page.html").write_text(
        "<html><body><article><h1>Brigade</h1><p>The 3rd Brigade left the town on Monday after "
        "eleven months in the desert, as its officers told the press.</p></article></body></html>"
    )
    outcome = orbat("tag", wheel, tmp_path / "in", "--output", tmp_path / "out.jsonl")
    assert outcome.code == 0, outcome.err
    tagged = list(read_documents(tmp_path / "out.jsonl"))
    assert [document.id for document in tagged] == ["note", "page"]
    assert tagged[0].text == note
    assert tagged[1].text.startswith("Brigade\n\nThe 3rd Brigade")


def test_damaged_models_are_refused(
    refused: Callable[..., str], trained: Trained, wheel: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("Gen. Doe")
    rest = (tmp_path / "in.txt", "--output", tmp_path / "out.jsonl")
    cut = tmp_path / wheel.name
    cut.write_bytes(wheel.read_bytes()[:100_000])
    assert "not a complete wheel file" in refused("tag", cut, *rest)
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    (run / "model" / "extra.weights").write_bytes(pickle.dumps({"a": 1}))
    for command in (("tag", run, *rest), ("package", run, "--output", tmp_path / "dist")):
        line = refused(*command)
        assert "extra.weights: pickled weights are never read" in line
    (run / "model" / "extra.weights").unlink()
    (run / "model" / "model.safetensors").write_bytes(b"nothing")
    assert "cannot be loaded" in refused("tag", run, *rest)
    assert "not a run folder" in refused("tag", tmp_path, *rest)
    assert "no run folder, wheel file or installed model" in refused("tag", "en_nothing", *rest)
    assert "--version new" in refused(
        "package", trained.run, "--output", tmp_path, "--version", "new"
    )
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "dist").exists()
