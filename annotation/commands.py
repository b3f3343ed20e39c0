"""`orbat annotate`: documents out to annotators, gold back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from annotation.doccano import Doccano
    from annotation.session import Report
    from corpus.document import Document

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
    from annotation.server import ADMIN, DoccanoServer

    server = DoccanoServer(home)
    found = server.up(port, say=typer.echo)
    state = "started" if found.started else "already running"
    typer.echo(f"doccano {state} at {found.url}")
    typer.echo(f"administrator: {ADMIN}, password in {server.home / 'secrets.json'}")


@app.command()
def down(home: Home = None) -> None:
    """Stop the local doccano server; its data stay."""
    from annotation.server import DoccanoServer

    server = DoccanoServer(home)
    typer.echo("doccano stopped" if server.down() else f"no doccano running in {server.home}")


@contextmanager
def _connection(
    home: Path | None, url: str | None, username: str, password: str | None
) -> Iterator[tuple[Doccano, Any]]:
    """Yield a connection, and a question whether the server's worker lives."""
    from annotation.doccano import Doccano
    from annotation.server import DoccanoServer
    from corpus.errors import InputError

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


@app.command()
def push(
    documents: Annotated[Path, typer.Argument(help="Documents (JSON Lines).")],
    session: SessionFolder,
    annotators: Annotated[str, typer.Option(help="Account names, with commas between.")],
    labels: Labels = None,
    prelabel: Annotated[
        bool, typer.Option(help="Suggest spans by gazetteer and patterns where there are none.")
    ] = True,
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

    from annotation.labels import load_guidelines, load_labels
    from annotation.prelabelling import prelabel as suggest
    from annotation.session import push as push_documents
    from corpus.files import read_documents

    label_set = load_labels(labels)
    guidelines = load_guidelines(label_set, labels)
    wanted = list(read_documents(documents, label_set.names))
    with _connection(home, url, username, password) as (doccano, alive):
        if prelabel:
            wanted = list(suggest(wanted, label_set.names, gazetteer))
        with _progress() as report:
            made = push_documents(
                doccano,
                session,
                wanted,
                [name.strip() for name in annotators.split(",") if name.strip()],
                label_set,
                guidelines=guidelines,
                alive=alive,
                report=report,
            )
    suggestions = sum(len(document.spans) for document in wanted)
    table = Table("annotator", "documents", "password")
    for name in made.projects:
        table.add_row(name, str(len(made.pushed(name))), made.password(name) or "(theirs)")
    Console().print(table)
    for name in made.projects:
        typer.echo(f"{name} begins at {made.link(name)}")
    typer.echo(
        f"{len(wanted)} documents with {suggestions} suggested spans, verified on the server"
    )


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
    """Bring back every annotator's spans."""
    import json

    from rich.console import Console
    from rich.table import Table

    from annotation.adjudication import is_confirmed
    from annotation.session import SUGGESTED
    from annotation.session import pull as pull_readings
    from corpus.files import write_documents

    with _connection(home, url, username, password) as (doccano, _), _progress() as report:
        readings = pull_readings(doccano, session, report=report)
    folder = output or session / "pulled"
    rows = []
    for name, documents in readings.items():
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
    if json_output:
        typer.echo(json.dumps(rows))
        return
    table = Table(*(name.replace("_", " ") for name in rows[0])) if rows else Table()
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


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
    from annotation.session import open_session
    from annotation.session import replay as replay_pass
    from corpus.errors import InputError
    from corpus.files import read_documents

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

    from annotation.agreement import agreement_tables, agreement_to_json, measure_agreement
    from annotation.labels import load_labels
    from annotation.readings import confirmed_by_all, name_readings, read_reading
    from corpus.files import write_text
    from corpus.tables import print_tables, render_tables

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

    With policy doccano the first call puts the conflicting documents before an account named
    adjudicator; call it again when they are confirmed there.
    """
    from annotation.adjudication import check_policy, make_gold
    from annotation.disputes import dispute_tables
    from annotation.labels import load_guidelines, load_labels
    from annotation.readings import compare_all, read_reading
    from annotation.third_pass import ADJUDICATOR, begin_third_pass, finish_third_pass
    from corpus.errors import InputError
    from corpus.files import read_documents, write_documents, write_text
    from corpus.tables import render_tables

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
            guidelines = load_guidelines(label_set, labels)
            made, new = begin_third_pass(
                doccano, session, comparisons, label_set, guidelines, alive, report
            )
            gold, open_ids = finish_third_pass(doccano, session, comparisons, report)
        if made is not None and new:
            typer.echo(
                f"{conflicts} conflicts, {new} new documents: settle them at "
                f"{made.link(ADJUDICATOR)} as '{ADJUDICATOR}' (password "
                f"{made.password(ADJUDICATOR) or 'theirs'}), confirm each document and run this "
                "command again"
            )
            return
        if open_ids:
            typer.echo(
                f"{len(open_ids)} documents are not confirmed yet by '{ADJUDICATOR}', "
                f"first '{open_ids[0]}'; nothing written",
                err=True,
            )
            raise typer.Exit(1)
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
    from annotation.conversion import read_corpus, write_corpus
    from annotation.formats.losses import Losses
    from annotation.labels import load_labels
    from corpus.progress import counting

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
