"""Cards of what is published, with the metadata that the Hugging Face Hub reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...corpus.analysis.statistics import Statistics
from ..base_model import BaseModel
from ..cards.hub_metadata import hub_language, hub_license


def wheel_card_for_hub(card: str, meta: bytes) -> bytes:
    """Return the card of a wheel with the Hub's metadata at its head.

    Args:
        card: the card in the wheel.
        meta: the wheel's `meta.json`.
    """
    from huggingface_hub import ModelCardData

    fields = json.loads(meta)
    labels = [label for labels in fields["labels"].values() for label in labels]
    data = ModelCardData(
        language=hub_language(fields["lang"]),
        license=hub_license(fields.get("license")),
        library_name="spacy",
        tags=["spacy", "token-classification", *labels],
        base_model=_base_model(fields.get("base_model", {})),
        pipeline_tag="token-classification",
    )
    return f"---\n{data.to_yaml()}\n---\n\n{card}".encode()


def _base_model(fields: Mapping[str, str]) -> str | None:
    """Return the Hub's id of the model that was packaged or trained from, or of its own base."""
    names = (fields[key] for key in ("name", "fine_tuned_from") if key in fields)
    return next(filter(None, (BaseModel(name).hub_id for name in names)), None)


def gold_card(name: str, statistics: Statistics, license: str | None) -> bytes:
    """Return the card of gold documents.

    Args:
        name: the name of their file.
        statistics: of the documents.
        license: license of the texts and annotations; None if it is not known.
    """
    from huggingface_hub import DatasetCardData

    languages = [language for language, _ in statistics.languages.most_common()]
    data = DatasetCardData(
        language=languages or None,
        license=hub_license(license),
        task_categories=["token-classification"],
        task_ids=["named-entity-recognition"],
        configs=[{"config_name": "default", "data_files": f"data/{name}"}],
    )
    rows = "\n".join(f"| {label} | {count:,} |" for label, count in statistics.labels.most_common())
    text = f"""# {name}

Texts with named entities. Documents: {statistics.documents:,}; words: {statistics.words:,};
characters: {statistics.characters:,}; spans: {statistics.labels.total():,}; documents without
spans: {statistics.unlabeled:,}.

| Label | Spans |
|---|---|
{rows}

## Format

`data/{name}` is JSON Lines; each line is a document:

    {{"id": "…", "text": "…", "spans": [{{"start": 0, "end": 4, "label": "…"}}], "meta": {{}}}}

Offsets count Unicode code points; the end is exclusive. Spans do not overlap. Ids are unique.

## License

{license or "Not stated."}
"""
    return f"---\n{data.to_yaml()}\n---\n\n{text}".encode()
