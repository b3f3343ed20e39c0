"""Reads and writes doccano's database: a program for doccano's Python environment, without orbat.

    doccano_tables.py read    standard input: {"projects": [ID…], "accounts": [NAME…],
                              "folder": FOLDER} for a copy of the database
                              standard output: a count, then the records
    doccano_tables.py write   standard input: {"administrator": NAME, "same_people": [NAME…]},
                              then the records as they were read, then "commit"
                              standard output, before "commit": {"projects": {OLD ID: NEW ID…}}

A record is a line `[TABLE, {COLUMN: VALUE…}]`. Records come after those that they refer to. After
the last one comes `["end", {}]`. Without it and the "commit", nothing is written. The first line of
`read` is `["count", {TABLE: NUMBER…}]`. Reading sees one state of the database; writing is one
transaction. Ids are new where the records are written, and so are the UUIDs, which doccano never
shows: those of its server and project belong to later uploads.

Exit code 3: the database does not fit the request. The last line of the standard error is the id
of the project that it lacks, or the names of the accounts that other people may have.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NoReturn

import django
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

ACCOUNT, ROLE, PROJECT = "auth.User", "roles.Role", "projects.Project"
PROJECT_TYPES = ("projects.SequenceLabelingProject", "projects.TextClassificationProject")
PROJECT_OF = {
    "projects.Tag": "project",
    "projects.Member": "project",
    "label_types.SpanType": "project",
    "label_types.CategoryType": "project",
    "auto_labeling.AutoLabelingConfig": "project",
    "examples.Example": "project",
    "examples.ExampleState": "example__project",
    "examples.Comment": "example__project",
    "labels.Span": "example__project",
    "labels.Category": "example__project",
}
"""The tables of a project's parts, and the way from a record to its project."""
BATCH = 1000
MISFIT = 3

Record = dict[str, Any]
NewIds = dict[str, dict[int, int]]
"""The new id of each old id, by table."""


def main() -> None:
    """Run one of the two commands."""
    commands = {"read": read, "write": write}
    commands[sys.argv[1]](json.loads(sys.stdin.readline()))


def refuse(reason: str) -> NoReturn:
    """End the program with what does not fit."""
    print(reason, file=sys.stderr)
    sys.exit(MISFIT)


def emit(table: str, record: Record) -> None:
    """Write one line; times, UUIDs and files become strings."""
    print(json.dumps([table, record], default=str))


# -- reading ----------------------------------------------------------------------------------


def read(request: Record) -> None:
    """Write the records of projects and of all accounts that they name."""
    with one_state(Path(request["folder"])):
        ids = request["projects"]
        projects = apps.get_model(PROJECT).objects.filter(pk__in=ids).order_by("pk")
        missing = sorted(set(ids) - {project.pk for project in projects})
        if missing:
            refuse(str(missing[0]))
        parts = {table: parts_of(table, ids) for table in PROJECT_OF}
        accounts = accounts_of(projects, parts.values(), request["accounts"])
        roles = apps.get_model(ROLE).objects.order_by("pk")
        tables = {ACCOUNT: accounts, ROLE: roles, PROJECT: projects, **parts}
        emit("count", {table: records.count() for table, records in tables.items()})
        for records in tables.values():
            for instance in records.iterator(chunk_size=BATCH):
                emit(instance._meta.label, to_record(instance))
        emit("end", {})


@contextmanager
def one_state(folder: Path) -> Iterator[None]:
    """Let the block see one state of the database, without keeping doccano from writing.

    Args:
        folder: an empty folder that only its owner can enter, for a copy of SQLite's file.
    """
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        django.setup()
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    # A reader of SQLite's file would block doccano until its end.
    copy = folder / "copy.sqlite3"
    with (
        closing(sqlite3.connect(database["NAME"])) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    database["NAME"] = str(copy)
    django.setup()
    yield
    connection.close()


def parts_of(table: str, projects: Iterable[int]) -> Any:
    """Return the records of a table that belong to projects."""
    # The models' own managers look further rows up, or leave some out.
    manager = apps.get_model(table)._base_manager
    return manager.filter(**{f"{PROJECT_OF[table]}__in": projects}).order_by("pk")


def accounts_of(projects: Any, parts: Iterable[Any], names: Iterable[str]) -> Any:
    """Return the accounts with these names, and those to which projects or their parts refer."""
    accounts = apps.get_model(ACCOUNT)
    ids = set()
    for records in (projects, *parts):
        for field in records.model._meta.concrete_fields:
            if field.related_model is accounts:
                ids |= set(records.order_by().values_list(field.attname, flat=True).distinct())
    named = models.Q(pk__in=ids) | models.Q(username__in=names)
    return accounts.objects.filter(named).order_by("pk")


def to_record(instance: Any) -> Record:
    """Return the columns of a record that mean something on another server."""
    return {field.attname: field.value_from_object(instance) for field in columns(type(instance))}


def columns(model: Any) -> list[Any]:
    """Return a model's columns without UUIDs and what doccano's libraries keep for themselves."""
    return [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, models.UUIDField)
        and field.name != "polymorphic_ctype"
        and not (field.remote_field and field.remote_field.parent_link)
    ]


# -- writing ----------------------------------------------------------------------------------


def write(request: Record) -> None:
    """Store the records under new ids, all or none, and write the projects' new ids."""
    django.setup()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.DateTimeField):
                field.auto_now = field.auto_now_add = False
    ids: NewIds = defaultdict(dict)
    with transaction.atomic():
        tables = []
        for table, group in groupby(read_lines(), key=lambda line: line[0]):
            tables.append(table)
            store(table, (record for _, record in group), ids, request)
        if tables[-1:] != ["end"]:
            raise SystemExit("the records end too early")
        print(json.dumps({"projects": ids[PROJECT]}), flush=True)
        if sys.stdin.readline() != "commit\n":
            raise SystemExit("the session was not written")


def read_lines() -> Iterator[list[Any]]:
    """Yield the records of the standard input, and nothing of what follows the last one."""
    for line in sys.stdin:
        record = json.loads(line)
        yield record
        if record[0] == "end":
            return


def store(table: str, records: Iterator[Record], ids: NewIds, request: Record) -> None:
    """Store the records of one table."""
    if table == ACCOUNT:
        store_accounts(list(records), ids, request)
    elif table == ROLE:
        roles = {role.name: role.pk for role in apps.get_model(ROLE).objects.all()}
        ids[ROLE] = {record["id"]: roles[record["name"]] for record in records}
    elif table in PROJECT_TYPES:
        for record in records:
            project = to_instance(table, record, ids)
            project.save()
            ids[PROJECT][record["id"]] = project.pk
    elif table in PROJECT_OF:
        manager = apps.get_model(table)._base_manager
        while batch := list(islice(records, BATCH)):
            created = manager.bulk_create([to_instance(table, record, ids) for record in batch])
            new = {old["id"]: one.pk for old, one in zip(batch, created, strict=True)}
            ids[table] |= new
    elif table != "end":
        raise SystemExit(f"records of an unknown table {table}")


def store_accounts(records: list[Record], ids: NewIds, request: Record) -> None:
    """Create the accounts that are missing; refuse those that other people may have."""
    accounts = apps.get_model(ACCOUNT)
    existing = {account.username: account for account in accounts.objects.all()}
    same = {request["administrator"], *request["same_people"]}
    strangers = []
    for record in records:
        name = record["username"]
        account = existing.get(name)
        if account is None:
            # A file makes nobody an administrator.
            account = to_instance(ACCOUNT, record | {"is_superuser": False, "is_staff": False}, ids)
            account.save()
        elif name not in same and account.password != record["password"]:
            strangers.append(name)
        ids[ACCOUNT][record["id"]] = account.pk
    if strangers:
        refuse(", ".join(strangers))


def to_instance(table: str, record: Record, ids: NewIds) -> Any:
    """Return a record that is not stored yet, with the new ids of those that it refers to."""
    model = apps.get_model(table)
    values = {}
    for field in columns(model):
        value = record[field.attname]
        if field.primary_key or field.attname == "id":
            continue
        if field.related_model is not None and value is not None:
            value = ids[field.related_model._meta.label][value]
        values[field.attname] = value if value is None else to_value(field, value)
    return model(**values)


def to_value(field: Any, value: Any) -> Any:
    """Return the value of a column from JSON."""
    return value if field.related_model is not None else field.to_python(value)


if __name__ == "__main__":
    main()
