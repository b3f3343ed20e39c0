"""The record of an article that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError


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

    def __str__(self) -> str:
        return f"{self.location}: {self.reason}"

    @classmethod
    def from_error(cls, location: str, error: InputError) -> Rejected:
        """Record an error that was raised for the article at `location`."""
        return cls(location, str(error).removeprefix(f"{location}: "))

    def to_error(self) -> InputError:
        """Return the error to raise where every article is required."""
        return InputError(str(self))
