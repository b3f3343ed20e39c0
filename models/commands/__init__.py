"""The commands `orbat package` and `orbat tag`."""

from .package import package as package
from .tag import tag as tag
