"""The commands `orbat package`, `orbat publish`, `orbat tag` and `orbat serve`."""

from .package import package as package
from .publish import publish as publish
from .serve import serve as serve
from .tag import tag as tag
