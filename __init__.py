"""Annotation and model-training workbench for named entities in news articles.

The functions below are the Python API; API.md has worked examples. Each is imported when it is
first used, so that `import orbat` is quick and needs none of the optional dependencies.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .telemetry import switch_off_telemetry

__version__ = "0.1.0"

# The libraries read these variables when they are imported, which submodules do.
switch_off_telemetry()

if TYPE_CHECKING:
    from .annotation.adjudication.adjudicate import adjudicate
    from .annotation.adjudication.annotation_sets import read_annotation_set
    from .annotation.agreement.measures import measure_agreement
    from .annotation.session.pull import pull
    from .annotation.session.push import push
    from .corpus.deduplication.leakage import find_leakage
    from .corpus.document import Document, Span
    from .corpus.files import read_documents, write_documents
    from .corpus.ingestion.pipeline import add_to_corpus
    from .corpus.labels import LabelSet, load_labels
    from .corpus.splitting import split_corpus
    from .errors import DivergedError, InputError, ModelError, OrbatError, ServerError
    from .evaluation.false_alarms.unannotated import measure_false_alarms
    from .evaluation.metrics import evaluate
    from .evaluation.robustness.measurement import measure_robustness
    from .evaluation.system_evaluation import evaluate_systems
    from .models.bulk.tagging import tag_files
    from .models.huggingface.packaging import package_checkpoint
    from .models.loading import load_model
    from .models.model import Model
    from .models.package_info import PackageInfo
    from .models.packaging import package
    from .models.service.server import serve
    from .models.service.settings import ServiceSettings
    from .training.data import TrainingData
    from .training.recipe import load_recipe
    from .training.train import train

_MODULES = {
    "Document": "corpus.document",
    "Span": "corpus.document",
    "LabelSet": "corpus.labels",
    "load_labels": "corpus.labels",
    "read_documents": "corpus.files",
    "write_documents": "corpus.files",
    "add_to_corpus": "corpus.ingestion.pipeline",
    "split_corpus": "corpus.splitting",
    "find_leakage": "corpus.deduplication.leakage",
    "push": "annotation.session.push",
    "pull": "annotation.session.pull",
    "read_annotation_set": "annotation.adjudication.annotation_sets",
    "measure_agreement": "annotation.agreement.measures",
    "adjudicate": "annotation.adjudication.adjudicate",
    "load_recipe": "training.recipe",
    "TrainingData": "training.data",
    "train": "training.train",
    "evaluate": "evaluation.metrics",
    "evaluate_systems": "evaluation.system_evaluation",
    "measure_robustness": "evaluation.robustness.measurement",
    "measure_false_alarms": "evaluation.false_alarms.unannotated",
    "package": "models.packaging",
    "package_checkpoint": "models.huggingface.packaging",
    "PackageInfo": "models.package_info",
    "Model": "models.model",
    "load_model": "models.loading",
    "tag_files": "models.bulk.tagging",
    "serve": "models.service.server",
    "ServiceSettings": "models.service.settings",
    "OrbatError": "errors",
    "InputError": "errors",
    "ServerError": "errors",
    "ModelError": "errors",
    "DivergedError": "errors",
}
"""The module of each public name, in the order of the work."""

__all__ = [  # noqa: RUF022 (in the order of the work)
    "Document",
    "Span",
    "LabelSet",
    "load_labels",
    "read_documents",
    "write_documents",
    "add_to_corpus",
    "split_corpus",
    "find_leakage",
    "push",
    "pull",
    "read_annotation_set",
    "measure_agreement",
    "adjudicate",
    "load_recipe",
    "TrainingData",
    "train",
    "evaluate",
    "evaluate_systems",
    "measure_robustness",
    "measure_false_alarms",
    "package",
    "package_checkpoint",
    "PackageInfo",
    "Model",
    "load_model",
    "tag_files",
    "serve",
    "ServiceSettings",
    "OrbatError",
    "InputError",
    "ServerError",
    "ModelError",
    "DivergedError",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
