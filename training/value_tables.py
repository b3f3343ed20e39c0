"""Compiling the values that a gazetteer declares into the tables that models carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..corpus.gazetteer import DEFAULT_GAZETTEER, read_gazetteer_file
from ..corpus.labels import LabelSet
from ..corpus.value_lists import ValueList, read_cues, read_entries, read_words
from ..errors import InputError, ModelError
from .gazetteer import recipe_gazetteer_path
from .recipe import AnyRecipe
from .run_folder import VALUES_FILE, check_files
from .values.designation import name_key
from .values.tables import Cue, Entry, LabelValues, ValueTables, Word


def load_value_tables(path: Path | None = None, labels: Iterable[str] | None = None) -> ValueTables:
    """Read the values that a gazetteer file declares.

    Args:
        path: a TOML file; None for the gazetteer that ships with orbat.
        labels: values of other labels are skipped; None keeps all.

    Returns:
        The tables; empty if the gazetteer declares no values.

    Raises:
        InputError: if a file is missing or broken, or a declaration names an unknown field.
    """
    path = Path(path or DEFAULT_GAZETTEER)
    allowed = None if labels is None else set(labels)
    contents = read_gazetteer_file(path)
    tables: dict[str, LabelValues] = {}
    for values in contents.values:
        if allowed is not None and values.label not in allowed:
            continue
        if values.label in tables:
            raise InputError(f"{path}: two [[values]] of label '{values.label}'; join them")
        if error := values.error():
            raise InputError(f"{path}: [[values]] of '{values.label}': {error}")
        tables[values.label] = _compile(path.parent, values, contents.spellings)
    if not tables:
        return ValueTables()
    cues = tuple(Cue(*row) for row in read_cues(path.parent, contents.context))
    return ValueTables(tables, cues, contents.spellings)


def load_recipe_value_tables(recipe: AnyRecipe, labels: LabelSet) -> ValueTables:
    """Load the values of the gazetteer that a recipe names, limited to a label set.

    Returns:
        The tables; empty if the recipe says `none`.

    Raises:
        InputError: as :func:`load_value_tables`.
    """
    if recipe.gazetteer == "none":
        return ValueTables()
    return load_value_tables(recipe_gazetteer_path(recipe), labels.names)


def read_run_value_tables(run: Path) -> ValueTables:
    """Read the value tables of a run folder.

    Raises:
        ModelError: if the file is missing, was changed or is of another version.
    """
    path = check_files(run, VALUES_FILE)
    try:
        return ValueTables.from_bytes(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{path}: {error}; train again") from error


def _compile(folder: Path, values: ValueList, spellings: Mapping[str, str]) -> LabelValues:
    entries = []
    for name, forms, found in read_entries(folder, values):
        keys = (" ".join(name_key(form, spellings)) for form in forms)
        entries.append(Entry(name, tuple(dict.fromkeys(filter(None, keys))), found))
    return LabelValues(
        entries=tuple(entries),
        source=values.file or "",
        fields=tuple(values.fields),
        context=values.context,
        partial=values.partial,
        excluded=values.excluded,
        weak=values.weak,
        words=tuple(Word(*row) for row in read_words(folder, values)),
        last=values.last,
        generic=values.generic,
        number=values.number,
        head=values.head,
        head_words=values.head_words,
        edition=values.edition,
        repeats=values.repeats,
        id=values.id,
    )
