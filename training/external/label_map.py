"""A tagger whose labels get other names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ...corpus.labels import label_fault
from ...errors import InputError
from ..base import TextTagger
from ..tagger.mentions import Mention


class MappedTagger:
    """Tags texts with another tagger, and renames its labels.

    Args:
        tagger: the other tagger.
        names: the new name of each label; "" drops its mentions. Labels that are not named keep
            their names.
        source: names the tagger in messages.

    Raises:
        InputError: if the tagger has no such label, or a new name cannot be a label's.
    """

    def __init__(self, tagger: TextTagger, names: Mapping[str, str], source: str) -> None:
        for label, name in names.items():
            if label not in tagger.labels:
                raise InputError(
                    f"{source}: has no label '{label}' to map; it has {', '.join(tagger.labels)}"
                )
            if name and (fault := label_fault(name)):
                raise InputError(f"{source}: map: the new name of '{label}' {fault}")
        self._tagger = tagger
        self._names = {label: names.get(label, label) for label in tagger.labels}
        self.labels = tuple(dict.fromkeys(name for name in self._names.values() if name))

    def pipe(self, texts: Iterable[str]) -> Iterator[list[Mention]]:
        """Yield the mentions of each text, in order."""
        for mentions in self._tagger.pipe(texts):
            renamed = (m._replace(label=self._names.get(m.label, m.label)) for m in mentions)
            yield [mention for mention in renamed if mention.label]


def parse_label_map(pairs: Iterable[str], option: str) -> dict[str, str]:
    """Return the new name of each label.

    Args:
        pairs: `LABEL=NAME`; without a name, mentions with the label are dropped.
        option: the option that gives them, for messages.

    Raises:
        InputError: if one is no such pair, or a label is mapped twice.
    """
    names: dict[str, str] = {}
    for pair in pairs:
        label, equals, name = (part.strip() for part in pair.partition("="))
        if not equals or not label:
            raise InputError(f"{option} {pair}: write LABEL=NAME, such as PER=PERSON")
        if names.setdefault(label, name) != name:
            raise InputError(f"{option} {pair}: '{label}' is mapped twice; keep one")
    return names
