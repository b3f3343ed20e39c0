"""The commands `orbat train` and `orbat sweep`."""

from .sweep import sweep as sweep
from .train import train as train
