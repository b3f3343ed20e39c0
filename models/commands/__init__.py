"""The commands `orbat package`, `orbat tag` and `orbat serve`."""

from .package import package as package
from .serve import serve as serve
from .tag import tag as tag
