"""The overview of a session: pace, forecast, use of suggestions, agreement, gain, and its page."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from orbat.annotation.doccano.client import DoccanoClient
from orbat.annotation.doccano.records import Comment
from orbat.annotation.overview import follow
from orbat.annotation.overview.anchoring import SuggestionUse, measure_suggestion_use
from orbat.annotation.overview.forecast import estimate_cost, estimate_gain, forecast
from orbat.annotation.overview.milestones import Webhook, find_milestones
from orbat.annotation.overview.overview import Overview, OverviewOptions, compute_overview
from orbat.annotation.overview.pace import measure_work, words_by_day
from orbat.annotation.overview.page import render_overview
from orbat.annotation.overview.weeks import agreement_by_week
from orbat.annotation.overview.work import ProjectWork, WorkedDocument, read_session_work
from orbat.annotation.quality.control_records import ControlDocument, write_control
from orbat.annotation.quality.qualification_records import write_round
from orbat.annotation.session.folder import Session, open_session
from orbat.annotation.session.history import Version, add_versions
from orbat.annotation.session.push import push
from orbat.annotation.session.replay import replay
from orbat.annotation.session.status import status_of
from orbat.corpus.document import Document, Span
from orbat.corpus.files import write_documents, write_json
from orbat.corpus.labels import load_labels
from orbat.errors import InputError, ServerError
from orbat.evaluation.comparison.learning_curve import CurvePoint, LearningCurve, read_curve
from tests.annotation.memory_doccano import MemoryDoccano
from tests.conftest import Orbat, Running
from tests.serving import serving

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
RANK, UNIT = Span(0, 4, "RANK"), Span(10, 16, "UNIT")
CURVE = LearningCurve(
    (CurvePoint(50, (0.7,), 0.7, 0.6, 0.8), CurvePoint(100, (0.8,), 0.8, 0.75, 0.85)),
    (CurvePoint(125, (), 0.82, 0.76, 0.87), CurvePoint(200, (), 0.86, 0.78, 0.9)),
    0.9,
)


def worked(
    name: str,
    minutes: float | None,
    words: int = 100,
    *,
    spans: tuple[Span, ...] = (),
    suggested: tuple[Span, ...] = (),
    annotator: str = "ann",
) -> WorkedDocument:
    """Return a document that was confirmed some minutes before NOW."""
    at = None if minutes is None else NOW - timedelta(minutes=minutes)
    return WorkedDocument(annotator, Document(name, "word " * words, suggested), at, spans)


def test_the_pace_leaves_pauses_out() -> None:
    # Two minutes for b, a night's pause before c, four minutes for d, ten seconds for e.
    times = {"a": 1000, "b": 998, "c": 14, "d": 10, "e": 10 - 1 / 6}
    pace = measure_work([worked(name, minutes) for name, minutes in times.items()])
    assert (pace.documents, pace.words, pace.too_fast) == (5, 500, ("e",))
    hours = (2 + 4 + 1 / 6) / 60
    assert pace.words_per_hour == pytest.approx(300 / hours)
    assert pace.seconds_per_document == 120
    # The first of a stretch took as long as its words take at this pace.
    assert pace.hours == pytest.approx(hours * 5 / 3)
    nothing = measure_work([worked("a", 5)])
    assert (nothing.hours, nothing.words_per_hour, nothing.too_fast) == (None, None, ())


def test_documents_that_are_confirmed_again_are_not_timed_again() -> None:
    times = {"a": 1000, "b": 998, "c": 10}
    again = {"a": NOW - timedelta(minutes=14), "b": NOW - timedelta(minutes=13)}
    documents = [
        replace(worked(name, minutes), confirmed_again_at=again.get(name))
        for name, minutes in times.items()
    ]
    pace = measure_work(documents)
    # Two minutes for b, three for c.
    assert (pace.words_per_hour, pace.too_fast) == (pytest.approx(200 / (5 / 60)), ())
    assert [words for _, words in words_by_day(documents)] == [200, 100]


def test_the_first_confirmation_is_that_of_the_history(tmp_path: Path) -> None:
    server = MemoryDoccano()
    documents = [Document(name, "Gen. Roe spoke") for name in ("a", "b")]
    session = push(server.client, tmp_path, documents, ["ann"], load_labels()).session
    server.confirmed = {(1, 0), (1, 1)}
    first = Version("a", "ann", "2025-12-01T10:00:00+00:00", "ann", "2025-12-01T09:00:00+00:00", ())
    reopened = replace(first, confirmed_by=None, confirmed_at=None)
    for version in (first, reopened):
        add_versions(tmp_path, "ann", [version])
    [work] = read_session_work(server.client, session)
    known = {d.document.id: (d.confirmed_at, d.confirmed_again_at) for d in work.documents}
    now = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert known == {"a": (datetime(2025, 12, 1, 9, tzinfo=UTC), now), "b": (now, None)}
    status = status_of(work, session, NOW, has_page=True)
    assert (status.confirmed, status.last) == (2, now)


def test_the_forecast_counts_words_and_not_documents() -> None:
    documents = [worked("a", 20), worked("b", 10), worked("long", None, 1000)]
    work = ProjectWork("ann", tuple(documents), waiting=1, waiting_words=200)
    pace = measure_work(work.confirmed)
    left = forecast(work, pace, NOW)
    assert left.words_left == 1200
    assert left.hours_left == pytest.approx(1200 / 600)
    # 200 words on the first day, at which rate the rest takes six.
    assert left.words_per_day == 200
    assert left.finish == NOW + timedelta(days=6)
    cost = estimate_cost(30, [pace], [left], documents=2)
    assert (cost.spent, cost.left, cost.per_document) == pytest.approx((10, 60, 5))
    idle = forecast(work, pace, NOW + timedelta(days=8))
    assert (idle.words_per_day, idle.finish) == (0, None)
    unknown = replace(left, hours_left=None)
    assert estimate_cost(30, [pace], [left, unknown], documents=0).left is None


def test_kept_suggestions_are_counted_and_wrong_ones_on_control_documents() -> None:
    documents = [
        worked("a", 9, suggested=(RANK, UNIT), spans=(RANK, UNIT)),
        worked("b", 8, suggested=(RANK, UNIT), spans=(RANK,)),
        worked("c", 7, spans=(UNIT,)),
    ]
    control = {"a": Document("a", "", (UNIT,)), "b": Document("b", "", (RANK,))}
    use = measure_suggestion_use(documents, control)
    assert use == SuggestionUse(2, 1, suggested=4, kept=3, wrong=2, wrong_kept=1)
    assert (use.share_unchanged, use.share_kept, use.share_wrong_kept) == (0.5, 0.75, 0.5)


def test_agreement_belongs_to_the_week_of_the_second_confirmation() -> None:
    week = 7 * 24 * 60

    def project(name: str, *documents: WorkedDocument) -> ProjectWork:
        return ProjectWork(name, tuple(replace(d, annotator=name) for d in documents))

    weeks = agreement_by_week(
        [
            project("ann", worked("x", 2 * week, spans=(RANK,)), worked("y", week, spans=(RANK,))),
            project("ben", worked("x", week, spans=(RANK, UNIT)), worked("y", 1, spans=(RANK,))),
            project("cat", worked("z", 1, spans=(UNIT,)), worked("y", None)),
        ]
    )
    assert [(w.week, w.documents) for w in weeks] == [
        (date(2026, 6, 8), 1),
        (date(2026, 6, 15), 1),
    ]
    assert [w.f1 for w in weeks] == [pytest.approx(2 / 3), 1]
    assert weeks[0].low is None


def test_a_week_gains_what_the_learning_curve_forecasts(tmp_path: Path) -> None:
    work = [ProjectWork("ann", tuple(worked(f"d{n}", n) for n in range(1, 26)))]
    # 25 documents on one day are 175 in a week, which is beyond the curve.
    assert estimate_gain(CURVE, work, NOW).f1_after is None
    later = estimate_gain(CURVE, work, NOW + timedelta(days=6.9))
    assert (later.documents, later.trained, later.f1) == (25, 100, 0.8)
    assert (later.f1_after, later.low, later.high) == pytest.approx((0.82, 0.76, 0.87))
    middle = CURVE.at(158)
    assert middle is not None
    assert middle.f1 == pytest.approx(0.84, abs=0.001)
    write_json(tmp_path / "curve.json", asdict(CURVE))
    assert read_curve(tmp_path) == CURVE
    write_json(tmp_path / "curve.json", {**asdict(CURVE), "points": [{"documents": 0}]})
    with pytest.raises(InputError, match=r"curve\.json: points\.0"):
        read_curve(tmp_path)
    with pytest.raises(InputError, match="no learning curve; draw one with orbat train --curve"):
        read_curve(tmp_path / "none")


@pytest.fixture
def overview(tmp_path: Path, dev_articles: list[Document]) -> Overview:
    """The state of a session of two annotators with twelve control documents and a comment."""
    gold = dev_articles[:24]
    for number, scores in enumerate((None, {"f1": 0.8, "low": None, "high": None}), start=1):
        found = write_round(tmp_path, f"new-{number}", 1, gold[:2])
        if scores is not None:
            result = {"verdict": "another round", "bar": 0.9, "scores": scores}
            write_json(found.result_file, result)
    write_control(tmp_path, [ControlDocument("source", "before", d) for d in gold[:12]])

    def project(name: str, missing: int) -> ProjectWork:
        documents = tuple(
            WorkedDocument(name, d.with_spans(d.spans[1:]), at, d.spans[missing:])
            for n, d in enumerate(gold)
            for at in (NOW - timedelta(days=n, hours=missing),)
        )
        hint = Comment(example=1, text="<b>Is this</b> a unit?", username=name, created_at=NOW)
        return ProjectWork(name, (replace(documents[0], comments=(hint,)), *documents[1:]))

    session = Session(tmp_path, "http://127.0.0.1:8000", load_labels(), {"ann": 1, "ben": 2}, {})
    options = OverviewOptions(hourly_rate=30, curve=CURVE)
    return compute_overview(session, [project("ann", 0), project("ben", 1)], NOW, options)


def test_control_documents_are_scored_and_kept_out_of_the_agreement(overview: Overview) -> None:
    ann, ben = (annotator.control for annotator in overview.annotators)
    assert ann is not None
    assert ben is not None
    assert (ann.documents, ann.strict.micro.f1) == (12, 1)
    assert ben.strict.micro.f1 < 1
    assert ben.strict.micro.low is not None
    assert sum(week.documents for week in overview.agreement) == 12
    record = json.loads(json.dumps(overview.to_json(), default=str))
    assert record["words_left"] == 0
    rounds = [(r["annotator"], r["verdict"], r["f1"]) for r in record["qualification"]]
    assert rounds == [("new-1", "not yet", None), ("new-2", "another round", 0.8)]
    assert record["gain"]["trained"] == 100
    assert [c["by"] for c in record["comments"]] == ["ann", "ben"]


def test_paused_annotators_are_left_out_of_what_is_left(tmp_path: Path) -> None:
    projects = {"ann": 1, "ben": 2, "new": 3}
    session = Session(tmp_path, "http://127.0.0.1:8000", load_labels(), projects, {})
    done = (worked("a", 20), worked("b", 10))
    ann = ProjectWork("ann", (*done, worked("c", None, 300)))
    gone = ProjectWork("ben", (worked("a", None), worked("b", 5)), paused=True)
    options = OverviewOptions(hourly_rate=30)
    state = compute_overview(session, [ann, gone, ProjectWork("new", ())], NOW, options)
    assert (state.words, state.words_left) == (600, 300)
    # 200 words a day are those of ann.
    assert state.finish == NOW + timedelta(days=1.5)
    assert state.cost
    assert state.cost.left == pytest.approx(15)
    assert [m.key for m in find_milestones(state, 0.8)] == ["half"]
    ready = replace(ann, documents=done)
    state = compute_overview(session, [ready, gone, ProjectWork("new", ())], NOW, options)
    assert (state.words_left, state.finish) == (0, None)
    assert state.cost
    assert state.cost.left == 0
    assert [m.key for m in find_milestones(state, 0.8)] == ["done ann 2", "half", "all done 4"]


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what it gets, and answers with a status."""

    status = 204
    messages: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.messages.append(json.loads(body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[str]:
    """The address of a webhook."""
    Hook.status, Hook.messages[:] = 204, []
    with serving(HTTPServer(("127.0.0.1", 0), Hook)) as server:
        yield f"http://127.0.0.1:{server.server_port}/secret?key=1"


def test_milestones_reach_a_webhook_once_and_without_texts(
    overview: Overview, hook: str, tmp_path: Path
) -> None:
    webhook = Webhook(hook, control_bar=0.99)
    Hook.status = 500
    with pytest.raises(ServerError, match=r"webhook on 127\.0\.0\.1 refused .* status 500"):
        webhook.deliver(tmp_path, overview)
    Hook.status = 204
    assert len(webhook.deliver(tmp_path, overview)) == 7
    assert Hook.messages[0] == Hook.messages[1]
    told = Hook.messages[1]["milestones"]
    assert re.fullmatch(r"ben reaches F1 0\.\d+ on 12 control documents, below 0\.99", told.pop(4))
    assert told == [
        "ann has confirmed all 24 documents",
        "ben has confirmed all 24 documents",
        "half of the words are confirmed",
        "all annotators have confirmed all their documents",
        "new comment by ann in the project of ann",
        "new comment by ben in the project of ben",
    ]
    assert "a unit" not in json.dumps(Hook.messages)
    assert webhook.deliver(tmp_path, overview) == []
    later = replace(overview.comments[0], at=NOW + timedelta(hours=1))
    new = replace(overview, comments=(*overview.comments, later))
    assert [m.text for m in webhook.deliver(tmp_path, new)] == [
        "new comment by ann in the project of ann"
    ]
    assert len(Hook.messages) == 3


def test_a_webhook_that_does_not_answer_is_named_without_its_secret(
    overview: Overview, tmp_path: Path
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret"
        with pytest.raises(ServerError, match="does not answer") as caught:
            Webhook(url).deliver(tmp_path, overview)
    assert "secret" not in str(caught.value)
    for wrong in ("ftp://host/secret", "https://", "no address"):
        with pytest.raises(InputError, match="--notify: not an http or https URL"):
            Webhook(wrong)


@pytest.mark.browser
def test_the_page_is_self_contained_and_fits_a_phone(
    overview: Overview, browser: Any, tmp_path: Path, screenshot: Any
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render_overview(overview, reload=60), encoding="utf-8")
    assert not re.search(r"https?://(?!127)", path.read_text())
    failures: list[str] = []
    for width, scheme in ((1100, "light"), (1100, "dark"), (390, "light")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("request", lambda r: r.url.startswith("file:") or failures.append(r.url))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("svg polyline").count() >= 4
        assert "<b>Is this</b> a unit?" in page.locator("ul.comments").inner_text()
        assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "60"
        screenshot(page, f"overview-{width}-{scheme}", full_page=True)
        page.close()
    assert failures == []


@pytest.mark.doccano
@pytest.mark.slow
def test_a_page_and_json_show_the_state_of_a_session_on_the_server(
    orbat: Orbat, doccano: Running, tmp_path: Path, train_articles: list[Document]
) -> None:
    folder, gold = tmp_path / "state", train_articles[:3]
    with doccano.connect() as connection:
        suggested = [d.with_spans(d.spans[:2]) for d in gold]
        session = push(connection, folder, suggested, ["lea", "lou"], load_labels()).session
    for name in ("lea", "lou"):
        assert replay(session, name, gold[:2]) == 2
    password = open_session(folder).password("lea")
    assert password
    with DoccanoClient(doccano.url, "lea", password) as client:
        example = next(client.examples(session.projects["lea"]))
        client.create_comment(session.projects["lea"], example.id, "why not?")
    page = tmp_path / "state.html"
    status = ("annotate", "status", "--session", folder, "--html", page)
    shown = orbat(*status, "--json", "--hourly-rate", 30, env=doccano.env)
    assert shown.code == 0, shown.err
    state = shown.json()
    assert [a["confirmed"] for a in state["annotators"]] == [2, 2]
    words = sum(len(d.text.split()) for d in gold[:2])
    assert state["words_confirmed"] == 2 * words
    assert state["annotators"][0]["pace"]["too_fast"] == [gold[1].id]
    assert state["annotators"][0]["suggestions"]["share_kept"] == 1
    assert [(w["documents"], w["f1"]) for w in state["agreement"]] == [(2, 1)]
    assert [c["text"] for c in state["comments"]] == ["why not?"]
    assert state["cost"]["hourly_rate"] == 30
    assert "why not?" in page.read_text()
    # A pull writes the comment, which is not new then.
    assert orbat("annotate", "pull", "--session", folder, env=doccano.env).code == 0
    assert orbat(*status, "--json", env=doccano.env).json()["comments"] == []
    table = orbat(*status, env=doccano.env)
    assert f"state of the session: {page}" in table.out
    assert "words left" in table.out


def test_a_page_is_not_written_over_the_session(refused: Any, tmp_path: Path) -> None:
    folder = tmp_path / "june"
    labels = load_labels()
    Session(folder, "http://127.0.0.1:9", labels, {"ann": 1}, {}).save()
    for name in ("pushed", "guidelines"):
        write_documents(folder / name / "ann.jsonl", [Document("a", "b")])
    status = ("annotate", "status", "--session", folder)
    assert "is the file to read" in refused(*status, "--html", folder / "session.json")
    for name in ("pushed", "guidelines"):
        assert "lies in" in refused(*status, "--html", folder / name / "ann.jsonl")
    assert "name it with --html FILE" in refused(*status, "--watch", 60)


def test_a_session_is_followed_through_a_restart_of_the_server(
    overview: Overview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter([overview, ServerError("doccano does not answer"), overview])
    pauses: list[float] = []

    def measure(*_: Any, **__: Any) -> Overview:
        reading = next(readings)
        if isinstance(reading, ServerError):
            raise reading
        return reading

    monkeypatch.setattr(follow, "measure_overview", measure)
    monkeypatch.setattr(follow.time, "sleep", pauses.append)
    failures: list[ServerError] = []
    client: Any = None
    states = follow.follow_overview(client, tmp_path, seconds=60, on_failure=failures.append)
    assert [next(states), next(states)] == [overview, overview]
    assert (pauses, [str(failure) for failure in failures]) == (
        [60, 60],
        ["doccano does not answer"],
    )
    with pytest.raises(InputError, match="--watch 5: choose 10 seconds or more"):
        next(follow.follow_overview(client, tmp_path, seconds=5))
