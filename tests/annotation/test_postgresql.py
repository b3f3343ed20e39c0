"""The local doccano on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orbat.annotation.doccano.server import DoccanoServer
from orbat.annotation.session.folder import open_session
from orbat.annotation.session.pull import pull
from orbat.annotation.session.push import push
from orbat.annotation.session.replay import replay
from orbat.corpus.document import Document, Span
from orbat.corpus.labels import load_labels
from tests.annotation.postgresql import PASSWORD, free_port, run_postgresql
from tests.conftest import Orbat

pytestmark = [pytest.mark.doccano, pytest.mark.slow]


def test_a_home_keeps_its_postgresql(
    orbat: Orbat, refused: Callable[..., str], tmp_path: Path
) -> None:
    home, folder = tmp_path / "home", tmp_path / "june"
    env = {"ORBAT_DOCCANO_HOME": str(home)}
    document = Document("d1", "😀 Gen. Smith met Col. Jones.")
    marked = Document("d1", document.text, (Span(2, 6, "RANK"), Span(17, 21, "RANK")))
    with run_postgresql() as url:
        wrong = {**env, "DATABASE_URL": url.replace("doccano:", "nobody:")}
        line = refused("annotate", "up", "--port", free_port(), env=wrong)
        assert "doccano cannot use this database: " in line
        assert 'password authentication failed for user "nobody"' in line
        try:
            up = ("annotate", "up", "--port", free_port())
            started = orbat(*up, env={**env, "DATABASE_URL": url})
            assert started.code == 0, started.err
            shown = f"database: postgresql://{url.rpartition('@')[2]}, kept in this folder"
            assert shown in started.out
            assert PASSWORD not in started.out + started.err
            assert not (home / "db.sqlite3").exists()
            with DoccanoServer(home).connect() as connection:
                push(connection, folder, [document], ["ann"], load_labels())
            replay(open_session(folder), "ann", [marked])
            # The next call knows the database without the variable, and refuses another one.
            assert orbat("annotate", "down", env=env).code == 0
            again = orbat("annotate", "up", env=env)
            assert again.code == 0, again.err
            assert shown in again.out
            other = {**env, "DATABASE_URL": f"{url}2"}
            assert f"the data of {home} are in postgresql://" in refused(
                "annotate", "up", env=other
            )
            with DoccanoServer(home).connect() as connection:
                pulled = pull(connection, folder).annotation_sets["ann"]
            (back,) = pulled
            assert back.text == marked.text
            assert [(s.start, s.end) for s in back.spans] == [(2, 6), (17, 21)]
        finally:
            orbat("annotate", "down", env=env)


def test_a_database_without_unicode_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    with run_postgresql("SQL_ASCII") as url:
        env = {"ORBAT_DOCCANO_HOME": str(tmp_path / "home"), "DATABASE_URL": url}
        line = refused("annotate", "up", "--port", free_port(), env=env)
    assert "its encoding is SQL_ASCII; create the database with ENCODING 'UTF8'" in line
