"""Learning curves: F1 by number of training documents, and the gain that more documents promise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from ...corpus.reading.json_files import read_json_object
from ...errors import InputError, first_error

CURVE_FILE = "curve.json"
"""The file of a curve in the folder of its runs."""


@dataclass(frozen=True)
class CurvePoint:
    """Strict F1 on the dev documents at one number of training documents.

    Attributes:
        documents: number of training documents.
        values: F1 of each seed; empty for a forecast.
        f1: mean of the values, or the forecast.
        low: lower bound of the 95 % interval.
        high: upper bound of the 95 % interval.
    """

    documents: Annotated[int, Field(gt=0)]
    values: tuple[float, ...]
    f1: float
    low: float
    high: float


@dataclass(frozen=True)
class LearningCurve:
    """A measured and extrapolated learning curve.

    Attributes:
        points: measured points, by increasing number of documents.
        forecast: extrapolated points.
        limit: the F1 that the fitted curve approaches.
    """

    points: tuple[CurvePoint, ...]
    forecast: tuple[CurvePoint, ...]
    limit: float

    @property
    def measured(self) -> CurvePoint:
        """The point with all training documents."""
        return self.points[-1]

    def at(self, documents: int) -> CurvePoint | None:
        """Return the forecast for a number of documents, between the last measurement and the
        last forecast of the curve; None outside.

        Figures are interpolated between the points of the curve, linearly in the logarithm of the
        number of documents.
        """
        for left, right in pairwise((self.measured, *self.forecast)):
            if left.documents <= documents <= right.documents:
                width = math.log(right.documents / left.documents)
                share = math.log(documents / left.documents) / width if width else 0.0
                f1, low, high = (
                    before + share * (after - before)
                    for before, after in (
                        (left.f1, right.f1),
                        (left.low, right.low),
                        (left.high, right.high),
                    )
                )
                return CurvePoint(documents, (), f1, low, high)
        return None


_CURVE = TypeAdapter(LearningCurve)


def read_curve(folder: Path) -> LearningCurve:
    """Read the learning curve in a folder of runs, as `orbat train --curve` writes it.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    path = Path(folder) / CURVE_FILE
    if not path.is_file():
        raise InputError(f"{folder}: no learning curve; draw one with orbat train --curve")
    try:
        curve = _CURVE.validate_python(read_json_object(path))
    except ValidationError as error:
        raise InputError(f"{path}: {first_error(error)}; draw the curve again") from error
    if not curve.points:
        raise InputError(f"{path}: the curve has no points; draw it again")
    return curve
