"""The log file of an error that nobody expected."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from . import __version__


def write_crash_log(error: BaseException) -> Path:
    """Write the traceback of an error, and the versions, to a new file in the temporary folder.

    Only its owner may read the file. Arguments of the command and values of variables are not in
    it, but the messages of errors may quote what was read.

    Returns:
        The file.

    Raises:
        OSError: if it cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix="orbat-error-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(f"orbat {__version__}, Python {platform.python_version()}, ")
        file.write(f"{platform.platform()}, {time}\n\n")
        file.writelines(traceback.format_exception(error))
    return Path(name)
