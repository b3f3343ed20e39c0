"""A language model behind an API as a tagger: what it is asked, told and believed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import read_documents, write_documents
from orbat.errors import InputError, ServerError
from orbat.models.loading import load_model
from orbat.models.model import Model
from orbat.training.external import endpoint
from tests.chat_api import Answer, ChatApi, Handler, fails, finds, says, serve
from tests.conftest import Orbat

TEXT = "Lt. Gen. Ann Doe leads the 3rd\nInfantry Division. The 3rd Infantry Division left."
GOOD = {"Lt. Gen.": "RANK", "3rd Infantry Division": "UNIT"}


@pytest.fixture
def api() -> Iterator[ChatApi]:
    with serve() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_FIRST_PAUSE", 0.01)
    monkeypatch.delenv(endpoint.KEY_VARIABLE, raising=False)


def write_model(folder: Path, api: ChatApi, *lines: str) -> Path:
    path = folder / "model.toml"
    settings = ('kind = "llm"', f'url = "{api.url}"', 'model = "tiny"', 'cache = "answers.sqlite"')
    path.write_text("\n".join((*settings, *lines)), encoding="utf-8")
    return path


def tag(model: Model, *texts: str) -> list[list[tuple[str, str]]]:
    documents = [Document(f"d{number}", text) for number, text in enumerate(texts)]
    return [
        [(document.text[s.start : s.end], s.label) for s in document.spans]
        for document in model.tag(documents)
    ]


def test_the_model_is_told_labels_and_guidelines_and_quotes_become_spans(
    api: ChatApi, tmp_path: Path
) -> None:
    api.answer = says({"entities": [{"text": t, "label": label} for t, label in GOOD.items()]})
    model = load_model(write_model(tmp_path, api))
    assert tag(model, TEXT) == [
        [
            ("Lt. Gen.", "RANK"),
            ("3rd\nInfantry Division", "UNIT"),
            ("3rd Infantry Division", "UNIT"),
        ]
    ]
    ((path, headers, body),) = api.requests
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers
    assert body["model"] == "tiny"
    system, passage = (message["content"] for message in body["messages"])
    assert passage == TEXT
    assert "- RANK: A military rank, spelled out or abbreviated." in system
    assert "\nGuidelines:\n# " in system
    schema = body["response_format"]["json_schema"]["schema"]
    label = schema["properties"]["entities"]["items"]["properties"]["label"]
    assert label["enum"] == ["UNIT", "RANK", "ROLE", "OPERATION"]


def test_long_texts_are_sent_in_passages_and_offsets_are_those_of_the_text(
    api: ChatApi, tmp_path: Path, dev_articles: list[Document]
) -> None:
    gold = dev_articles[:6]
    named = {d.text[s.start : s.end]: s.label for d in gold for s in d.spans}
    api.answer = finds(named)
    model = load_model(write_model(tmp_path, api, "passage = 300", "workers = 1"))
    tagged = list(model.tag(d.with_spans(()) for d in gold))
    assert "".join(api.passages()) == "".join(d.text for d in gold)
    assert max(map(len, api.passages())) <= 300
    found = {span for d in tagged for span in d.spans}
    expected = {span for d in gold for span in d.spans}
    assert len(found & expected) > 0.8 * len(expected)
    assert [d.id for d in tagged] == [d.id for d in gold]


@pytest.mark.parametrize(
    ("entities", "expected", "note"),
    [
        ([("4th Fleet", "UNIT")], [], "1 mentions that are not in the text"),
        ([("lt. gen.", "RANK")], [], "1 mentions that are not in the text"),
        ([("Gen. Ann", "HERO")], [], "1 with an unknown label"),
        ([("Ann Doe", "rank")], [("Ann Doe", "RANK")], None),
        ([("nn Doe", "RANK"), ("", "RANK")], [], "2 mentions that are not in the text"),
        ([("Ann Doe", "RANK"), ("Doe", "ROLE")], [("Ann Doe", "RANK")], "1 within other mentions"),
        ([("Ann", "RANK"), ("Ann", "ROLE")], [("Ann", "RANK")], "1 within other mentions"),
    ],
)
def test_what_the_text_or_the_label_set_does_not_have_is_dropped_and_counted(
    api: ChatApi,
    tmp_path: Path,
    entities: list[tuple[str, str]],
    expected: list[tuple[str, str]],
    note: str | None,
) -> None:
    api.answer = says({"entities": [{"text": t, "label": label} for t, label in entities]})
    model = load_model(write_model(tmp_path, api))
    assert tag(model, TEXT) == [expected]
    assert [n for n in model.notes() if n.startswith("left out")] == (
        [] if note is None else [f"left out of the answers: {note}"]
    )


@pytest.mark.parametrize(
    ("text", "quotation"),
    [
        ("The R&D Brigade left.", "R&amp;D Brigade"),
        ("The “Lions” Brigade left.", '"Lions" Brigade'),
        ("The Ko\u0308ln Brigade left.", "K\u00f6ln Brigade"),
        ("The K\u00f6ln Brigade left.", "Ko\u0308ln Brigade"),
        ("The 3rd Brigade left.", "\uff13rd Brigade"),
        ("The 3rd Brigade left.", "3rd\u200b Brigade"),
        ("The 3rd Brigade left.", "3rd Brigade \ud800"),
        ("The 3rd Brigade left.", "3rd " * 100_000),
    ],
)
def test_a_quotation_in_other_characters_is_dropped_and_counted(
    api: ChatApi, tmp_path: Path, text: str, quotation: str
) -> None:
    """It is not changed until it fits: what it means is not known."""
    api.answer = says({"entities": [{"text": quotation, "label": "UNIT"}]})
    model = load_model(write_model(tmp_path, api))
    assert tag(model, text) == [[]]
    assert "left out of the answers: 1 mentions that are not in the text" in model.notes()


def test_full_width_and_decomposed_text_is_found_as_it_is(api: ChatApi, tmp_path: Path) -> None:
    text = "The \uff13rd Ko\u0308ln Brigade\u3000\U0001f600 left the 3rd K\u00f6ln Brigade."
    quotation = "\uff13rd Ko\u0308ln Brigade \U0001f600"
    api.answer = says({"entities": [{"text": quotation, "label": "UNIT"}]})
    model = load_model(write_model(tmp_path, api))
    assert tag(model, text) == [[(text[4:23], "UNIT")]]
    assert text[4:23].endswith("\U0001f600")


def test_repeated_mentions_take_the_occurrences_in_turn(api: ChatApi, tmp_path: Path) -> None:
    """With one label, all of them; with several, one each, and the last for those after them."""
    text = "Washington met Washington in Washington, Washingtonians of Washington said."
    named = [("Washington", label) for label in ("ROLE", "RANK", "UNIT")]
    api.answer = says({"entities": [{"text": t, "label": label} for t, label in named]})
    (found,) = tag(load_model(write_model(tmp_path, api)), text)
    assert [label for _, label in found] == ["ROLE", "RANK", "UNIT", "UNIT"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "I found none.", "{", '{"entities": {"text": "Doe"}}', "[1]", '{"a":' * 50_000 + "}"),
        "\ud800{",
    ],
)
def test_an_answer_of_another_form_gives_no_spans_and_is_asked_for_again(
    api: ChatApi, tmp_path: Path, content: str
) -> None:
    api.answers = [says(content)]
    api.answer = finds(GOOD)
    path = write_model(tmp_path, api)
    model = load_model(path)
    assert tag(model, TEXT) == [[]]
    assert model.notes()[-1].startswith("1 of 1 passages have no spans")
    assert len(tag(load_model(path), TEXT)[0]) == 3


def test_words_around_the_json_are_ignored_and_cut_off_answers_are_named(
    api: ChatApi, tmp_path: Path
) -> None:
    fenced = 'Here:\n```json\n{"entities": [{"text": "Ann Doe", "label": "ROLE"}, 7]}\n```'
    api.answers = [says(fenced), says('{"entities": [{"te', finish_reason="length")]
    model = load_model(write_model(tmp_path, api, "workers = 1"))
    assert tag(model, TEXT, "Another text.") == [[("Ann Doe", "ROLE")], []]
    assert "1 of them cut off (max_tokens)" in model.notes()[-1]


def test_known_answers_are_not_asked_for_again_and_cost_is_told(
    api: ChatApi, tmp_path: Path
) -> None:
    api.answer = finds(GOOD)
    path = write_model(tmp_path, api, "input_price = 1000", "output_price = 5000.0", "workers = 1")
    first = load_model(path)
    answers = tag(first, TEXT, "A Col. of the 3rd Infantry Division.")
    assert first.notes() == ["tiny: 2 requests; 200 tokens sent, 20 received, which cost 0.3000"]
    again = load_model(path)
    assert tag(again, TEXT, "A Col. of the 3rd Infantry Division.") == answers
    assert again.notes()[0].startswith("tiny: 0 requests, 2 answers were known; 0 tokens sent")
    assert len(api.requests) == 2
    assert (tmp_path / "answers.sqlite").stat().st_mode & 0o077 == 0
    assert again.fingerprint == first.fingerprint


def test_a_stopped_command_goes_on_where_it_was(api: ChatApi, tmp_path: Path) -> None:
    texts = [f"Text {number} of the 3rd Infantry Division." for number in range(6)]
    path = write_model(tmp_path, api, "workers = 1")
    api.answers = [*[finds(GOOD)] * 3, *[fails(500)] * endpoint.MAX_ATTEMPTS]
    api.answer = fails(400)
    with pytest.raises(ServerError, match=r"answers 500, 4 times; the answers so far are kept"):
        tag(load_model(path), *texts)
    api.requests.clear()
    api.answers, api.answer = [], finds(GOOD)
    assert tag(load_model(path), *texts) == [[("3rd Infantry Division", "UNIT")]] * 6
    assert api.passages() == texts[3:]


@pytest.mark.parametrize(
    "answer",
    [
        fails(500),
        fails(503, {"error": {"message": "loading"}}),
        fails(429, Retry_After="0"),
        fails(429, Retry_After="Mon, 30 Nov 2020 00:00:00 GMT"),
        fails(429, Retry_After="soon"),
        lambda handler: handler.connection.close(),
        lambda handler: handler.cut_off(b'{"choices": [{"mess', 1000),
        fails(429, Retry_After="-1"),
    ],
)
def test_a_server_that_fails_once_is_asked_again(
    api: ChatApi, tmp_path: Path, answer: Answer
) -> None:
    api.answers, api.answer = [answer], finds(GOOD)
    assert len(tag(load_model(write_model(tmp_path, api)), TEXT)[0]) == 3
    assert len(api.requests) == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (fails(429, Retry_After="7200"), r"answers 429, to wait 7200 s; the answers so far"),
        (fails(401, {"error": {"message": "no\x1b key"}}), r"refuses access .*; set ORBAT_LLM_KEY"),
        (fails(404, {"error": "no model"}), r"no such API or model \(no model\)"),
        (fails(400, b"<html>" * 900), r"status 400 \((<html>){50}\); check model"),
        (fails(200, b"<html>"), "its answer is not a chat completion"),
        (fails(200, {"choices": []}), "its answer is not a chat completion"),
        (fails(200, [[[1]]]), "its answer is not a chat completion"),
        (fails(200, {"choices": [{"message": {"content": [1]}}]}), "not a chat completion"),
        (fails(200, b"[" * 200_000), "its answer is not a chat completion"),
        (fails(200, b"x", Content_Encoding="gzip"), "sends packed answers"),
        (lambda handler: handler.pour(b"x" * 2**16, 0.0), "sends more than 4 MB"),
        (says("x" * 10_000_000), "sends more than 4 MB"),
        (fails(200, b'data: {"choices": [{"delta": {}}]}\n\n'), "is not a chat completion"),
        (fails(429, Retry_After="9" * 400), "to wait 999999999 s"),
        (fails(429, Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), "answers 429, to wait"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_line_of_error(
    api: ChatApi, tmp_path: Path, answer: Answer, message: str
) -> None:
    api.answer = answer
    with pytest.raises(ServerError, match=message) as caught:
        tag(load_model(write_model(tmp_path, api)), TEXT)
    assert str(caught.value).startswith(f"{api.url}: ")
    assert len(str(caught.value)) < 600
    assert len(api.requests) == 1


def test_an_answer_that_drips_is_given_up_in_time(api: ChatApi, tmp_path: Path) -> None:
    api.answer = lambda handler: handler.pour(b" ", 0.02)
    with pytest.raises(ServerError, match=r"does not answer \(ReadTimeout; .*\), 4 times"):
        tag(load_model(write_model(tmp_path, api, "timeout = 0.2")), TEXT)


def test_texts_and_key_go_to_no_other_address(
    api: ChatApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(endpoint.KEY_VARIABLE, " secret \n")
    with serve() as other:
        target = f"http://user:word@127.0.0.1:{other.server_port}/v1"
        api.answer = fails(307, Location=target)
        with pytest.raises(ServerError, match=r"redirects to http://127.*not followed") as caught:
            tag(load_model(write_model(tmp_path, api)), TEXT)
        assert other.requests == []
    assert "word" not in str(caught.value)
    assert api.requests[0][1]["Authorization"] == "Bearer secret"
    assert b"secret" not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    with pytest.raises(InputError, match=r"http://api\.example/v1: others could read the key"):
        load_model("llm:m@http://api.example/v1")
    monkeypatch.setenv(endpoint.KEY_VARIABLE, "two\nlines")
    with pytest.raises(InputError, match="ORBAT_LLM_KEY: is not a valid"):
        load_model(write_model(tmp_path, api))


def test_several_requests_are_under_way_and_the_order_is_kept(api: ChatApi, tmp_path: Path) -> None:
    reached = threading.Barrier(2, timeout=20)

    def answer(handler: Handler) -> None:
        if handler.passage[0] in "01":
            reached.wait()
        if handler.passage[0] == "0":
            handler.server.ending.wait(0.2)
        says({"entities": [{"text": handler.passage[0], "label": "RANK"}]})(handler)

    api.answer = answer
    answers = tag(load_model(write_model(tmp_path, api)), *(f"{n} Ann" for n in range(8)))
    assert answers == [[(str(n), "RANK")] for n in range(8)]


def test_commands_measure_tag_and_say_where_texts_go(
    orbat: Orbat, api: ChatApi, tmp_path: Path, dev_articles: list[Document]
) -> None:
    gold = dev_articles[:4]
    named = {d.text[s.start : s.end]: s.label for d in gold for s in d.spans}
    api.answer = finds(named)
    path = write_model(tmp_path, api, "workers = 1")
    write_documents(tmp_path / "gold.jsonl", gold)
    measured = orbat("evaluate", path, tmp_path / "gold.jsonl", "--json")
    assert measured.code == 0, measured.err
    assert measured.err.startswith(f"the texts are sent to {api.url}\n")
    assert f"tiny: {len(api.requests)} requests; " in measured.err
    assert measured.json()["strict"]["micro"]["recall"] > 0.8
    asked = len(api.requests)
    tagged = tmp_path / "tagged.jsonl"
    outcome = orbat("tag", path, tmp_path / "gold.jsonl", "--output", tagged)
    assert outcome.code == 0, outcome.err
    assert len(api.requests) == asked
    assert sum(len(d.spans) for d in read_documents(tagged)) > 20
    refused = orbat("tag", path, tmp_path / "gold.jsonl", "--output", tagged, "--engine", "ray")
    assert refused.code == 2
    assert "tag on this machine, not on Ray" in refused.err
    served = orbat("serve", path, "--port", 0)
    assert served.code == 2
    assert "serve a run, a wheel or a checkpoint" in served.err
