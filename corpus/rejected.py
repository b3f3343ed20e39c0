"""The record of an article that cannot be used."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from ..errors import InputError, OrbatError, describe_fault, printable

_FAULTS_OF_THE_MACHINE = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Error numbers that no article causes; every further one would meet them too."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An article, row or line that cannot be used.

    Readers yield it in the position of the article and continue with the next one.

    Attributes:
        location: where the article is: file, file and line, or URL.
        reason: what is wrong and how to fix it.
    """

    location: str
    reason: str

    def __post_init__(self) -> None:
        # Names of files need not be Unicode, and addresses in feeds may have line breaks. This is
        # printed in one line, and written as JSON in UTF-8.
        for name in ("location", "reason"):
            lines = printable(getattr(self, name)).splitlines()
            object.__setattr__(self, name, r"\n".join(lines))

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"

    @classmethod
    def from_error(cls, location: str, error: Exception) -> Rejected:
        """Record what was raised for the article at `location`.

        Args:
            location: the article's position.
            error: of any class, since parsers of foreign files raise all kinds.

        Raises:
            ImportError: the error itself, if a package is not installed.
            OSError: likewise, if this machine lacks space, memory or open files.
        """
        if isinstance(error, OrbatError):
            return cls(location, str(error).removeprefix(f"{printable(location)}: "))
        if isinstance(error, ImportError):
            raise error
        if isinstance(error, OSError):
            if error.errno in _FAULTS_OF_THE_MACHINE:
                raise error
            if error.strerror:
                return cls(location, f"cannot be read ({error.strerror})")
        return cls(location, f"cannot be read ({describe_fault(error)}); check it")

    def to_error(self) -> InputError:
        """Return the error to raise where every article is required."""
        return InputError(str(self))
