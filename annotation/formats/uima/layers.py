"""The choice of one annotation layer, and of the feature that holds the labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ....errors import InputError

LABEL_FEATURE = "value"
"""The feature with the label in INCEpTION's own layers."""
_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."


@dataclass(slots=True)
class Layer:
    """An annotation layer of one document.

    Attributes:
        name: the UIMA type, such as `webanno.custom.Unit`.
        features: its string features.
        valued: those that have a value in the document.
        is_annotated: whether the document has annotations of the layer.
    """

    name: str
    features: Sequence[str]
    valued: set[str] = field(default_factory=set)
    is_annotated: bool = False

    @property
    def short_name(self) -> str:
        """The name without its package."""
        return self.name.rpartition(".")[2]

    @property
    def may_hold_entities(self) -> bool:
        """False for layers of DKPro Core for other things, such as parts of speech."""
        return not self.name.startswith(_DKPRO) or self.name.startswith(f"{_DKPRO}ner.")


class LayerChoice:
    """Chooses the same layer and feature in all documents of a source.

    Args:
        wanted: `LAYER` or `LAYER.FEATURE`, where the layer may be named without its package; None
            for the only layer with annotations that may be entities.
    """

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._layer: str | None = None
        self._feature: str | None = None
        self._has_feature = False
        self._names: set[str] = set()

    def choose(self, layers: Iterable[Layer], where: str) -> tuple[Layer, str | None] | None:
        """Return the layer and the feature with the labels; None if there is no such layer.

        The feature is None for layers without string features. Their name is the label.

        Raises:
            InputError: if there are several; the message names them.
        """
        layers = list(layers)
        self._names |= {layer.name for layer in layers if layer.is_annotated}
        layer = self._find_wanted(layers, where) if self._wanted else self._find_only(layers, where)
        if layer is None:
            return None
        self._layer = layer.name
        if not self._has_feature:
            self._feature = _only_feature(layer, where)
            self._has_feature = bool(layer.valued) or self._feature == LABEL_FEATURE
        return layer, self._feature

    def check(self, source: Path) -> None:
        """Refuse a source that has no layer of the wanted name.

        Raises:
            InputError: naming the layers that there are.
        """
        if self._wanted and self._layer is None:
            names = ", ".join(sorted(self._names)) or "(none)"
            raise InputError(f"{source}: no layer '{self._wanted}'; choose --layer from {names}")

    def _find_only(self, layers: list[Layer], where: str) -> Layer | None:
        annotated = [layer for layer in layers if layer.is_annotated and layer.may_hold_entities]
        names = {layer.name for layer in annotated} | ({self._layer} if self._layer else set())
        if len(names) > 1:
            raise InputError(
                f"{where}: annotations in several layers; choose one with --layer: "
                f"{', '.join(sorted(filter(None, names)))}"
            )
        return annotated[0] if annotated else None

    def _find_wanted(self, layers: list[Layer], where: str) -> Layer | None:
        wanted = str(self._wanted)
        named = [layer for layer in layers if _is_named(layer, wanted)]
        if not named:
            name, _, feature = wanted.rpartition(".")
            named = [la for la in layers if feature in la.features and _is_named(la, name)]
            if named:
                self._feature, self._has_feature = feature, True
        if len(named) > 1:
            names = ", ".join(layer.name for layer in named)
            raise InputError(f"{where}: several layers '{wanted}'; choose --layer from {names}")
        return named[0] if named else None


def _is_named(layer: Layer, name: str) -> bool:
    return bool(name) and (layer.name == name or layer.name.endswith(f".{name}"))


def _only_feature(layer: Layer, where: str) -> str | None:
    if not layer.features:
        return None
    if LABEL_FEATURE in layer.features:
        return LABEL_FEATURE
    names = [name for name in layer.features if name in layer.valued] or list(layer.features)
    if len(names) > 1 and layer.valued:
        choices = ", ".join(f"{layer.short_name}.{name}" for name in names)
        raise InputError(
            f"{where}: several features may be the label; choose one with --layer: {choices}"
        )
    return names[0]
