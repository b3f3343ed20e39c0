"""`orbat annotate`: documents out to annotators, gold back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ...corpus.document import Document
    from ..doccano.client import Doccano
    from ..session.session import Report

app = typer.Typer(no_args_is_help=True, help="Send documents to annotators and make gold of them.")

Home = Annotated[
    Path | None,
    typer.Option(envvar="ORBAT_DOCCANO_HOME", help="Folder of the local doccano server's data."),
]
Url = Annotated[
    str | None, typer.Option(help="A doccano server elsewhere; default: the local one.")
]
Username = Annotated[str, typer.Option(help="Administrator's account on that server.")]
Password = Annotated[
    str | None, typer.Option(envvar="ORBAT_DOCCANO_PASSWORD", help="Its password.")
]
SessionFolder = Annotated[Path, typer.Option("--session", help="Folder of the labelling session.")]
Labels = Annotated[
    Path | None, typer.Option(help="Label set file; default: the one for defence news.")
]
Unconfirmed = Annotated[
    bool, typer.Option(help="Use documents too that an annotator has not confirmed.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def annotate() -> None:
    """Send documents to annotators and make gold of what they mark."""


@app.command()
def up(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
) -> None:
    """Start a doccano server, or find it running."""
    from ..doccano.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    found = server.up(port, say=typer.echo)
    state = "started" if found.started else "already running"
    typer.echo(f"doccano {state} at {found.url}")
    typer.echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")


@app.command()
def down(home: Home = None) -> None:
    """Stop the local doccano server; its data stay."""
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    typer.echo("doccano stopped" if server.down() else f"no doccano running in {server.home}")


@contextmanager
def _connection(
    home: Path | None, url: str | None, username: str, password: str | None
) -> Iterator[tuple[Doccano, Any]]:
    """Yield a connection, and a question whether the server's worker lives."""
    from ...errors import InputError
    from ..doccano.client import Doccano
    from ..doccano.server import DoccanoServer

    server = DoccanoServer(home)
    local = server.url
    if url is None:
        if local is None:
            raise InputError(
                f"no doccano is running in {server.home}; start it with orbat annotate up, "
                "or pass --url"
            )
        url = local
        password = password or server.password
    elif password is None:
        raise InputError(f"{url}: no password; pass --password or set ORBAT_DOCCANO_PASSWORD")
    is_local = url.rstrip("/") == local
    with Doccano(url, username, password) as doccano:
        yield doccano, server.worker_is_running if is_local else lambda: True


@contextmanager
def _progress() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield report


def _names(annotators: str) -> list[str]:
    return [name.strip() for name in annotators.split(",") if name.strip()]


@app.command()
def push(
    context: typer.Context,
    documents: Annotated[Path, typer.Argument(help="Documents (JSON Lines).")],
    session: SessionFolder,
    annotators: Annotated[str, typer.Option(help="Account names, with commas between.")],
    overlap: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of the documents that all annotators get; the rest is dealt."
        ),
    ] = 1.0,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Documents open at a time for each annotator; push again to hand out more."
        ),
    ] = None,
    labels: Labels = None,
    suggest: Annotated[
        str | None,
        typer.Option(
            help="What marks documents without spans: rules, model, rules+model or model+rules "
            "(the first named wins where both mark), or none. Default: rules, with --model "
            "model+rules."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Run folder, wheel or installed model that suggests.")
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(help="Gold to measure the suggestions on; default: the shipped dev."),
    ] = None,
    gazetteer: Annotated[
        Path | None, typer.Option(help="Gazetteer file; default: the one for defence news.")
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Put documents before annotators in doccano. Pushing twice changes nothing."""
    from rich.console import Console
    from rich.table import Table

    from ...corpus.files import read_documents
    from ...corpus.labels import load_guidelines, load_labels
    from ...ui import print_tables
    from ..guide import with_keys
    from ..session.session import push as push_documents
    from ..suggestions import (
        DEFAULT_GOLD,
        make_finders,
        measure_suggestions,
        suggestion_table,
    )
    from ..suggestions import suggest as suggest_spans

    label_set = load_labels(labels)
    guidelines = with_keys(label_set, load_guidelines(label_set, labels))
    wanted = list(read_documents(documents, label_set.names))
    loaded = context.obj["load_model"](model) if model else None
    sources = suggest or ("model+rules" if model else "rules")
    finders = make_finders(sources, label_set, model=loaded, gazetteer=gazetteer)
    gold_file = gold or (DEFAULT_GOLD if labels is None else None)
    measured = None
    own = sum(bool(document.spans) for document in wanted)
    with _connection(home, url, username, password) as (doccano, alive):
        if finders and own < len(wanted):
            with Console(stderr=True).status("Suggesting spans"):
                wanted = suggest_spans(wanted, finders, label_set.names)
                if gold_file is not None:
                    known = list(read_documents(gold_file, label_set.names))
                    scores = measure_suggestions(known, finders, label_set.names)
                    measured = suggestion_table(scores, gold_file, known, loaded)
        with _progress() as report:
            made = push_documents(
                doccano,
                session,
                wanted,
                _names(annotators),
                label_set,
                overlap=overlap,
                batch=batch,
                guidelines=guidelines,
                alive=alive,
                report=report,
            )
    console = Console()
    if measured is not None:
        print_tables([measured], console)
    elif finders and own < len(wanted):
        typer.echo("how good the suggestions are was not measured; pass gold documents with --gold")
    if finders and own:
        typer.echo(f"{own} documents keep the spans that they came with, which were not measured")
    table = Table("annotator", "documents", "waiting", "password")
    for name in made.projects:
        pushed = made.pushed(name)
        assigned = sum(owner in (None, name) for owner in made.assignments.values())
        counts = (str(len(pushed)), str(assigned - len(pushed)))
        table.add_row(name, *counts, made.password(name) or "(theirs)")
    console.print(table)
    for name in made.projects:
        typer.echo(f"{name} begins at {made.link(name)}")
    suggestions = sum(len(document.spans) for document in wanted)
    shared = sum(owner is None for owner in made.assignments.values())
    typer.echo(
        f"{len(wanted)} documents with {suggestions} suggested spans, {shared} shared by all; what "
        "lies before annotators is verified on the server"
    )


@app.command()
def status(
    session: SessionFolder,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
    json_output: Json = False,
) -> None:
    """Show how far each annotator is, and how fast."""
    import json

    from rich.console import Console

    from ...ui import DataTable, print_tables
    from ..session.status import measure_progress

    with _connection(home, url, username, password) as (doccano, _), _progress() as report:
        found = measure_progress(doccano, session, report=report)
    if json_output:
        fields = ({**vars(each), "hours_left": each.hours_left} for each in found)
        typer.echo(json.dumps(list(fields), default=str))
        return
    rows = tuple(
        (
            *(each.annotator, each.documents, each.confirmed, each.waiting),
            *(each.per_hour, each.hours_left, each.last and f"{each.last:%Y-%m-%d %H:%M} UTC"),
        )
        for each in found
    )
    columns = ("annotator", "documents", "confirmed", "waiting", "per hour", "hours left", "last")
    note = "waiting: assigned and not handed out yet; per hour: without pauses of half an hour"
    print_tables([DataTable("Progress", columns, rows, note=note)], Console(), len(rows))
    for each in found:
        if not each.member:
            typer.echo(
                f"'{each.annotator}' was taken out of their project; push again to let them in",
                err=True,
            )
        elif each.confirmed < each.documents:
            typer.echo(f"{each.annotator} goes on at {each.link}")


@app.command()
def pull(
    session: SessionFolder,
    output: Annotated[
        Path | None, typer.Option(help="Folder for ANNOTATOR.jsonl; default: SESSION/pulled.")
    ] = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
    json_output: Json = False,
) -> None:
    """Bring back every annotator's spans, and tell what changed since the last time.

    Every version of a document is kept in SESSION/history; see orbat annotate history.
    """
    import json

    from rich.console import Console

    from ...corpus.files import write_documents
    from ...ui import DataTable, print_tables
    from ..adjudication.conflicts import is_confirmed
    from ..session.session import SUGGESTED
    from ..session.session import pull as pull_readings

    with _connection(home, url, username, password) as (doccano, _), _progress() as report:
        pulled = pull_readings(doccano, session, report=report)
    folder = output or session / "pulled"
    rows = []
    for name, documents in pulled.readings.items():
        path = folder / f"{name}.jsonl"
        write_documents(path, documents)
        spans = [span for document in documents for span in document.spans]
        rows.append(
            {
                "annotator": name,
                "documents": len(documents),
                "confirmed": sum(map(is_confirmed, documents)),
                "spans": len(spans),
                "as_suggested": sum(span.note == SUGGESTED for span in spans),
                "file": str(path),
            }
        )
    for warning in pulled.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for name, documents in pulled.readings.items():
        for document in documents:
            for comment in document.meta["annotation"].get("comments", ()):
                said = f"{comment['by']} on '{document.id}' of '{name}': {comment['text']}"
                typer.echo(said, err=True)
    if json_output:
        changes = {name: vars(found) for name, found in pulled.changes.items()}
        typer.echo(json.dumps([{**row, "changes": changes[str(row["annotator"])]} for row in rows]))
        return
    if not rows:
        typer.echo("no annotator has documents yet; orbat annotate push gives them some")
        return
    columns = tuple(name.replace("_", " ") for name in rows[0])
    console = Console()
    print_tables(
        [
            DataTable("Pulled", columns, tuple(tuple(row.values()) for row in rows)),
            DataTable(
                "Since the last pull",
                ("annotator", *vars(next(iter(pulled.changes.values())))),
                tuple((name, *vars(found).values()) for name, found in pulled.changes.items()),
                note="documents with a new version; spans added, removed and relabelled",
            ),
        ],
        console,
        len(rows),
    )


@app.command()
def history(
    session: SessionFolder,
    annotator: Annotated[str | None, typer.Option(help="Only this annotator's.")] = None,
    document: Annotated[str | None, typer.Option(help="Only this document's, by id.")] = None,
    json_output: Json = False,
) -> None:
    """Show every version of the documents that was ever pulled: who, when, what changed."""
    import json
    from dataclasses import asdict

    from rich.console import Console

    from ...errors import InputError
    from ...ui import DataTable, print_tables
    from ..session.history import history_rows, read_history
    from ..session.session import open_session

    made = open_session(session)
    if annotator is not None and annotator not in made.projects:
        raise InputError(
            f"no annotator '{annotator}' in {session}; there are {', '.join(made.projects)}"
        )
    versions = [
        version
        for name in made.projects
        if annotator in (None, name)
        for version in read_history(session, name)
        if document in (None, version.document)
    ]
    if json_output:
        for version in versions:
            typer.echo(json.dumps(asdict(version), ensure_ascii=False))
        return
    columns = ("pulled at (UTC)", "annotator", "document", "state")
    rows = tuple(history_rows(versions))
    counts = ("spans", "added", "removed", "relabelled")
    print_tables([DataTable("Versions", (*columns, *counts), rows)], Console(), len(rows))
    if not rows:
        typer.echo("nothing was pulled yet that fits; orbat annotate pull brings documents back")


@app.command()
def replay(
    session: SessionFolder,
    passes: Annotated[list[str], typer.Argument(help="ANNOTATOR=PASS.jsonl for each annotator.")],
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Play recorded annotation passes through doccano as their annotators (for demos and tests)."""
    from ...corpus.files import read_documents
    from ...errors import InputError
    from ..session.session import open_session
    from ..session.session import replay as replay_pass

    made = open_session(session)
    with _connection(home, url, username, password) as (doccano, _), _progress() as report:
        for pair in passes:
            annotator, _, file = pair.partition("=")
            if not file or annotator not in made.projects:
                raise InputError(
                    f"{pair}: write ANNOTATOR=PASS.jsonl; annotators are {', '.join(made.projects)}"
                )
            own = made.password(annotator)
            if own is None:
                raise InputError(f"'{annotator}' has an account of their own; only they can log in")
            readings = read_documents(Path(file), made.labels.names)
            done = replay_pass(doccano, own, made, annotator, readings, report=report)
            typer.echo(f"replayed a recorded pass over {done} documents as '{annotator}'")


@app.command()
def agree(
    readings: Annotated[
        list[Path], typer.Argument(help="Each annotator's documents (JSON Lines), two or more.")
    ],
    unconfirmed: Unconfirmed = False,
    labels: Labels = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    json_output: Json = False,
) -> None:
    """Print how far annotators agree, label by label, and what they take for each other.

    Documents that only one annotator has read, or that one has not confirmed, are left out.
    """
    import json

    from rich.console import Console

    from ...corpus.files import write_text
    from ...corpus.labels import load_labels
    from ...ui import print_tables, render_tables
    from ..adjudication.annotation_sets import confirmed_by_all, name_readings, read_reading
    from ..agreement import agreement_tables, agreement_to_json, measure_agreement

    known = load_labels(labels).names
    named = name_readings([read_reading(path, known) for path in readings])
    kept, left_out = confirmed_by_all(named, unconfirmed=unconfirmed)
    agreement = measure_agreement(kept)
    summary = f"{agreement.documents} documents are read by two or more annotators."
    if agreement.alone:
        summary += f" {agreement.alone} are read by one only and left out."
    if left_out:
        summary += f" {left_out} are not confirmed by all who have them and left out."
    tables = agreement_tables(agreement)
    if html is not None:
        title = f"Agreement of {', '.join(agreement.names)}"
        write_text(html, render_tables(title, summary, tables))
    if json_output:
        typer.echo(json.dumps(agreement_to_json(agreement)))
        return
    console = Console()
    print_tables(tables, console)
    console.print(summary, highlight=False)


@app.command()
def adjudicate(
    readings: Annotated[list[Path], typer.Argument(help="Each annotator's documents.")],
    output: Annotated[Path, typer.Option(help="Gold documents to write (JSON Lines).")],
    policy: Annotated[
        str,
        typer.Option(
            help="How conflicts are settled: majority, either, trust:NAME, or doccano for a "
            "third pass there."
        ),
    ] = "majority",
    session: Annotated[
        Path | None, typer.Option(help="Folder of the third pass's session (policy doccano).")
    ] = None,
    adjudicator: Annotated[
        str, typer.Option(help="Account that settles the conflicts (policy doccano).")
    ] = "adjudicator",
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="HTML page of what was disputed, to mend the guidelines by."),
    ] = None,
    unconfirmed: Unconfirmed = False,
    texts: Annotated[
        Path | None, typer.Option(help="Documents with the texts, where the readings lack them.")
    ] = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Merge readings to gold: agreed spans pass, conflicts are settled by a policy.

    With policy doccano the first call puts the conflicts before the adjudicator, who settles
    each by one key; call it again when they are confirmed there.
    """
    from ...corpus.files import read_documents, write_documents, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...ui import render_tables
    from ..adjudication.annotation_sets import compare_all, read_reading
    from ..adjudication.conflicts import check_policy, make_gold
    from ..adjudication.report import dispute_tables
    from ..adjudication.round import third_pass
    from ..guide import with_keys

    label_set = load_labels(labels)
    known = {d.id: d for d in read_documents(texts)} if texts else None
    read = [read_reading(path, label_set.names, known) for path in readings]
    check_policy(policy, [reading.name for reading in read])
    comparisons, left_out = compare_all(read, unconfirmed=unconfirmed)
    if not comparisons:
        raise InputError(
            "no document is confirmed by all annotators; confirm some, or pass --unconfirmed"
        )
    if not all(comparison.document.text for comparison in comparisons):
        raise InputError("the readings have no texts; pass the documents with --texts FILE")
    conflicts = sum(len(comparison.conflicts) for comparison in comparisons)
    if left_out:
        typer.echo(f"{len(left_out)} documents left out: not confirmed by all annotators", err=True)
    if policy == "doccano":
        if session is None:
            raise InputError("policy doccano needs --session FOLDER for the third pass")
        with _connection(home, url, username, password) as (doccano, alive), _progress() as report:
            state = third_pass(
                doccano,
                session,
                comparisons,
                label_set,
                adjudicator=adjudicator,
                guidelines=with_keys(label_set, load_guidelines(label_set, labels)),
                alive=alive,
                report=report,
            )
        if state.open:
            typer.echo(
                f"{state.open} of {conflicts} conflicts are open, {state.new} of them new. "
                f"'{adjudicator}' (password {state.password or 'theirs'}) settles them at"
            )
            for link in state.links:
                typer.echo(f"  {link}")
            typer.echo(
                "by the number of the right reading, 0 for no span or x for none of them, then "
                "Enter; run this command again then. Nothing is written yet"
            )
            raise typer.Exit(0 if state.new else 1)
        gold = list(state.gold)
    else:
        gold = [make_gold(comparison, policy) for comparison in comparisons]
    count = write_documents(output, gold)
    typer.echo(f"{count} gold documents in {output}; {conflicts} conflicts settled by {policy}")
    alone = sum(len(comparison.readings) == 1 for comparison in comparisons)
    if alone:
        typer.echo(f"{alone} of them stand as their only annotator marked them")
    if report_file is not None:
        summary = f"{conflicts} conflicts in {count} documents, settled by {policy}."
        page = render_tables("What the annotators disputed", summary, dispute_tables(gold))
        write_text(report_file, page)


@app.command("next")
def next_documents(
    context: typer.Context,
    documents: Annotated[Path, typer.Argument(help="Unlabelled documents (JSON Lines).")],
    output: Annotated[Path, typer.Option(help="The same documents in the order to label them.")],
    model: Annotated[
        str | None, typer.Option(help="Run folder, wheel or installed model that is asked.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Choose so many; default: put all in order.")
    ] = None,
    session: Annotated[
        Path | None, typer.Option(help="Leave out what this session's annotators have.")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Documents labelled already: left out, and kept away from.")
    ] = None,
    strategy: Annotated[str, typer.Option(help="uncertainty or random.")] = "uncertainty",
    seed: Annotated[int, typer.Option(help="Of the random order.")] = 0,
) -> None:
    """Choose what to label next: documents that a model is least sure of, unlike each other."""
    from rich.console import Console

    from ...corpus.files import read_documents, write_documents
    from ...errors import InputError
    from ...ui import DataTable, print_tables
    from ..active_learning import choose_next
    from ..session.session import open_session

    known = list(read_documents(labelled)) if labelled else []
    if session is not None:
        made = open_session(session)
        there = {d.id: d for name in made.projects for d in made.pushed(name)}
        known += there.values()
    taken = {document.id for document in known}
    free = [document for document in read_documents(documents) if document.id not in taken]
    if not free:
        raise InputError(f"{documents}: every document is labelled or before annotators already")
    loaded = context.obj["load_model"](model) if model else None
    with Console(stderr=True).status("Asking the model"):
        chosen = choose_next(
            free, loaded, count=count, labelled=known, strategy=strategy, seed=seed
        )
    write_documents(output, (document for document, _ in chosen))
    if strategy != "random":
        rows = tuple(
            (place, document.id, entropy, len(document.text.split()))
            for place, (document, entropy) in enumerate(chosen, start=1)
        )
        columns = ("", "document", "entropy of a word", "words")
        print_tables([DataTable("To label next", columns, rows)], Console(), 10)
    typer.echo(f"{len(chosen)} of {len(free)} documents in {output}, in the order to label them")


@app.command()
def audit(
    context: typer.Context,
    gold: Annotated[Path, typer.Argument(help="Gold documents to look through (JSON Lines).")],
    work: Annotated[
        Path, typer.Option(help="Folder for the trainings; called again, the command goes on.")
    ],
    recipe: Annotated[str, typer.Option(help="Recipe of the models that judge.")] = "quick",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Recipe field as key=value; repeatable.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Trainings, each on all but its part.")] = 5,
    top: Annotated[int, typer.Option(min=1, help="Report so many places.")] = 100,
    output: Annotated[Path | None, typer.Option(help="JSON Lines of the places to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    session: Annotated[
        Path | None, typer.Option(help="Put these documents before annotators in this session.")
    ] = None,
    annotators: Annotated[
        str | None, typer.Option(help="Account names for --session, with commas between.")
    ] = None,
    labels: Labels = None,
    home: Home = None,
    url: Url = None,
    username: Username = "admin",
    password: Password = None,
) -> None:
    """Find likely label errors in gold, by models that have not seen the documents they judge.

    What the models think of each word is left in WORK/words.jsonl, for other tools.
    """
    from rich.console import Console

    from ...corpus.files import read_documents, write_json_lines, write_text
    from ...corpus.labels import load_guidelines, load_labels
    from ...errors import InputError
    from ...ui import DataTable, print_tables, render_tables
    from ..guide import with_keys
    from ..label_issues import (
        find_suspicions,
        suspicion_table,
        suspicion_to_json,
        worst_documents,
    )
    from ..session.session import push as push_documents

    if (session is None) != (annotators is None):
        raise InputError("--session and --annotators go together; pass both or neither")
    label_set = load_labels(labels)
    documents = list(read_documents(gold, label_set.names))
    with _progress() as report:
        predictions = context.obj["cross_predict"](
            recipe,
            settings or [],
            documents,
            label_set,
            work,
            folds=folds,
            report=lambda done, total: report("Training", done, total),
        )
    write_json_lines(
        work / "words.jsonl",
        (
            {"id": document.id, **chances.to_json()}
            for document, (_, chances) in zip(documents, predictions, strict=True)
        ),
    )
    found = find_suspicions(documents, predictions)[:top]
    table = suspicion_table(found)
    summary = f"{len(found)} places in {len(documents)} documents of {gold.name}, worst first."
    if output is not None:
        write_json_lines(output, map(suspicion_to_json, found))
    if html is not None:
        write_text(html, render_tables("Likely label errors", summary, [table]))
    brief = DataTable(table.title, table.columns[:-1], tuple(row[:-1] for row in table.rows))
    print_tables([brief], Console(), 20)
    if session is not None and annotators is not None:
        with _connection(home, url, username, password) as (doccano, alive), _progress() as report:
            made = push_documents(
                doccano,
                session,
                worst_documents(found),
                _names(annotators),
                label_set,
                overlap=0,
                guidelines=with_keys(label_set, load_guidelines(label_set, labels)),
                alive=alive,
                report=report,
            )
        for name in made.projects:
            typer.echo(f"{name} looks at {len(made.pushed(name))} of them at {made.link(name)}")


@app.command()
def guide(
    output: Annotated[Path, typer.Argument(help="HTML page to write.")],
    labels: Labels = None,
) -> None:
    """Write a page for annotators: how to mark, with pictures, and the label set's keys."""
    from ...corpus.files import write_text
    from ...corpus.labels import load_labels
    from ..guide import render_guide

    write_text(output, render_guide(load_labels(labels)))
    typer.echo(f"a page for annotators in {output}; open it in a browser, or print it")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File or folder to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File or new folder to write.")],
    source_form: Annotated[str, typer.Option("--from", metavar="FORM", help="Form of IN.")],
    target_form: Annotated[
        str, typer.Option("--to", metavar="FORM", help="Form of OUT.")
    ] = "jsonl",
    labels: Annotated[
        Path | None, typer.Option(help="Label set file; spans of other labels are left out.")
    ] = None,
    scheme: Annotated[
        str, typer.Option(help="Tags of conll, iob and words-tags: bio or bilou.")
    ] = "bio",
) -> None:
    """Turn an annotated corpus into another form, and say what cannot be kept.

    FORM is jsonl (orbat's own), doccano, brat, conll, iob, words-tags, docbin, labelstudio,
    prodigy, datasets or re3d. brat, words-tags, datasets and re3d are folders, the others files.
    """
    from ...corpus.labels import load_labels
    from ...ui import counting
    from ..formats.conversion import read_corpus, write_corpus
    from ..formats.conversion_report import Losses

    wanted = load_labels(labels).names if labels else None
    losses = Losses()
    with counting("Converting") as report:

        def counted() -> Iterator[Document]:
            documents = read_corpus(source, source_form, losses, wanted)
            for number, document in enumerate(documents, start=1):
                yield document
                report(number)

        written = write_corpus(target, target_form, counted(), losses, wanted, scheme=scheme)
    typer.echo(f"{written} documents in {target}")
    for what, number in sorted((+losses).items()):
        typer.echo(f"left out: {number} {what}", err=True)
