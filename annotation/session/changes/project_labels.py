"""The labels of an annotator's project in doccano, made equal to those of a label set."""

from __future__ import annotations

from collections.abc import Mapping

from ....corpus.labels import Label, LabelSet
from ....errors import ServerError
from ...doccano.client import DoccanoClient
from ...doccano.records import LabelType

RETIRED = "retired: "
"""A tag of a project that begins so names a label that the annotation page does not offer."""


def change_project_labels(
    client: DoccanoClient, project: int, labels: LabelSet, renames: Mapping[str, str]
) -> None:
    """Rename, recolor, add and retire the labels of a project; its spans keep their labels.

    What is done already is left as it is, so that an interrupted call is completed by the next.

    Args:
        client: an administrator's connection.
        project: the project's id.
        labels: the new labels.
        renames: new names by old ones.

    Raises:
        ServerError: if the project has both names of a rename, or the server fails.
    """
    for old, new in renames.items():
        types = {found.text: found for found in client.span_types(project)}
        if old in types and new in types:
            raise ServerError(
                f"{client.url}: project {project} has the labels '{old}' and '{new}', so that "
                "neither can get the other's name; delete the one without spans in doccano"
            )
        if old in types:
            client.change_span_type(project, types[old].id, {"text": new})
    wanted = {label.name: label for label in labels.labels}
    types = {found.text: found for found in client.span_types(project)}
    # A key that goes from one label to another must be free before.
    for name, label in wanted.items():
        if name in types and types[name].suffix_key not in (None, label.key):
            client.change_span_type(project, types[name].id, {"suffix_key": None})
    for name, label in wanted.items():
        if name in types and not _is_equal(types[name], label):
            client.change_span_type(project, types[name].id, _fields(label))
    client.ensure_span_types(project, labels.labels)
    mark_retired(client, project, labels)


def _fields(label: Label) -> dict[str, str | None]:
    return {
        "suffix_key": label.key,
        "background_color": label.color,
        "text_color": label.text_color,
    }


def _is_equal(found: LabelType, label: Label) -> bool:
    fields = _fields(label)
    return all(getattr(found, name) == value for name, value in fields.items())


def mark_retired(client: DoccanoClient, project: int, labels: LabelSet) -> None:
    """Tell the annotation page, by tags of a project, which labels are retired."""
    wanted = {f"{RETIRED}{label.name}" for label in labels.labels if label.retired}
    tags = {text: id_ for id_, text in client.tags(project) if text.startswith(RETIRED)}
    for text in sorted(tags.keys() - wanted):
        client.delete_tag(project, tags[text])
    for text in sorted(wanted - tags.keys()):
        client.add_tag(project, text)
