"""Options that several commands share, and the connection that they describe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import InputError
from ...terminal import echo, echo_warnings

if TYPE_CHECKING:
    from ...corpus.document import Document
    from ...corpus.labels import LabelSet
    from ...models.model import Model
    from ..doccano.client import DoccanoClient
    from ..gold_files import GoldReader, Part

SERVER = "Server"
"""Groups of options in the help."""


Home = Annotated[
    Path | None,
    typer.Option(
        envvar="ORBAT_DOCCANO_HOME",
        help="Data folder of the local doccano server.",
        rich_help_panel=SERVER,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        help="Address of another doccano server; default: that of the session, else the local one.",
        rich_help_panel=SERVER,
    ),
]
Username = Annotated[
    str, typer.Option(help="Administrator account on the server.", rich_help_panel=SERVER)
]
PASSWORD_VARIABLE = "ORBAT_DOCCANO_PASSWORD"
# A password in a command's arguments could be read by all users of the machine.
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help="Read the account's password from the standard input; otherwise it is the value of "
        f"{PASSWORD_VARIABLE}. Needed with --url.",
        rich_help_panel=SERVER,
    ),
]
SessionFolder = Annotated[Path, typer.Option("--session", help="Folder of the labeling session.")]
Labels = Annotated[
    Path | None, typer.Option(help="Label set file; default: the shipped one for defence news.")
]
LabelMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="LABEL=NAME",
        help="Rename a label of the model to that of the label set, such as PER=PERSON; LABEL= "
        "leaves out its spans. Repeatable.",
    ),
]
MODELS = (
    "Run folder, wheel, installed model, token classifier of transformers (folder or Hugging Face "
    "id), spacy:NAME, gliner:MODEL, llm:MODEL@URL or model file (.toml)"
)
"""What `--model` names."""
Unconfirmed = Annotated[
    bool, typer.Option(help="Include annotations that their annotator has not confirmed.")
]
Texts = Annotated[
    Path | None,
    typer.Option(help="Documents with the texts, in any format, if the annotation sets have none."),
]
ANY_FORMAT = "in any format that orbat annotate convert reads"
"""How files of documents may be written."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def connect(
    home: Path | None,
    url: str | None,
    username: str,
    password_stdin: bool,
    folder: Path | None = None,
) -> DoccanoClient:
    """Return a connection to the server that the options name.

    Args:
        home: data folder of the local server.
        url: address of another server; None for that of the folder, else the local one.
        username: an administrator's account.
        password_stdin: whether its password is the first line of the standard input; otherwise it
            is the value of :data:`PASSWORD_VARIABLE`. Not needed for the local administrator.
        folder: a labeling session or an adjudication round, which may not exist yet.

    Raises:
        InputError: if another server is named without a password, or by an invalid address, or
            the standard input has no password.
        ServerError: if the server does not answer or refuses the password.
    """
    from ...corpus.addresses import check_address, is_local
    from ..doccano.client import DoccanoClient
    from ..doccano.server import DoccanoServer
    from ..session.folder import session_address

    password = _read_password(password_stdin)
    server = DoccanoServer(home)
    if url is not None:
        check_address(url, "--url")
    address = url or (session_address(folder) if folder else None)
    is_here = address is None or address.rstrip("/") in (server.url, server.public_url)
    # Without a password, a session on this machine needs its local server, which says what to do.
    if address is None or is_here or (url is None and password is None and is_local(address)):
        return server.connect(username, password)
    if password is None:
        raise InputError(
            f"{address}: no password; set {PASSWORD_VARIABLE} or pass --password-stdin"
        )
    return DoccanoClient(address, username, password)


def _read_password(from_stdin: bool) -> str | None:
    if not from_stdin:
        return os.environ.get(PASSWORD_VARIABLE) or None
    return read_line("--password-stdin")


def read_line(option: str) -> str:
    """Return the password in the next line of the standard input.

    Raises:
        InputError: if there is none; it names the option.
    """
    # Python has none where it is closed.
    password = sys.stdin.readline().rstrip("\r\n") if sys.stdin else ""
    if not password:
        raise InputError(f"{option}: the standard input has no password; write it there")
    return password


def print_invitation(name: str, link: str | None) -> None:
    """Print the link by which a person chooses the password of a new account, if there is one."""
    if link is not None:
        echo(f"'{name}' chooses a password at this link, which works once, for seven days: {link}")


def print_page_hint(client: DoccanoClient) -> None:
    """Say how to get orbat's annotation page, if the server does not have it."""
    if not client.has_page:
        echo(
            "these links open doccano's own page; orbat's opens with orbat annotate page "
            f"--url {client.public_url}, or after orbat annotate up if doccano runs on this machine"
        )


def load_optional_model(
    name: str | None,
    label_map: Sequence[str] = (),
    labels: LabelSet | None = None,
    guidelines: str | None = None,
) -> Model | None:
    """Return the model that `--model` names, and say where it sends texts; None without a name.

    Args:
        name: any model of :func:`orbat.models.loading.load_model`.
        label_map: the values of `--map`.
        labels: what a language model is to find.
        guidelines: what it is told about them.

    Raises:
        InputError: if `--map` is given without a model, or has other labels than the model.
        ModelError: if the model cannot be loaded.
    """
    if name is None and label_map:
        raise InputError("--map: renames labels of a model; name it with --model")
    if name is None:
        return None
    # Models load heavy libraries, and most commands need none.
    from ...models.commands.remote import announce
    from ...models.loading import load_model
    from ...training.external.label_map import parse_label_map

    model = load_model(name, labels=labels, guidelines=guidelines)
    return announce(model.with_label_map(parse_label_map(label_map, "--map"), "--map"))


def print_left_out_labels(model: Model | None, labels: LabelSet) -> None:
    """Name the labels of a model that the label set does not have."""
    names = set(labels.names)
    left_out = [label for label in model.labels if label not in names] if model else []
    if left_out:
        echo(
            f"spans of the model's labels {', '.join(left_out)} are left out: the label set has "
            f"{', '.join(labels.names)} (--map LABEL=NAME renames labels)",
            err=True,
        )


def read_labeled(
    path: Path,
    labels: Iterable[str] | None = None,
    *,
    part: Part | None = None,
    spans_required: bool = False,
) -> Iterator[Document]:
    """Yield the documents of a file or folder of any format, then print what was left out.

    See :meth:`orbat.annotation.gold_files.GoldReader.read`.

    Raises:
        InputError: naming the file, the position and the fix.
    """
    from ..gold_files import GoldReader

    reader = GoldReader(has_options=False)
    yield from reader.read(path, labels, part=part, spans_required=spans_required)
    print_notices(reader)


def print_notices(reader: GoldReader) -> None:
    """Print what was left out of the files that a reader has read."""
    echo_warnings(reader.notices)


def split_names(names: str) -> list[str]:
    """Return the names in a comma-separated list."""
    return [name.strip() for name in names.split(",") if name.strip()]
