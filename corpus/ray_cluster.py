"""The engines that process articles, and the connection to a Ray cluster."""

from __future__ import annotations

import logging
import os
from typing import Literal

Engine = Literal["local", "ray"]
"""The engine that processes articles: this process or a Ray cluster."""


def connect_ray() -> None:
    """Connect to the Ray cluster that RAY_ADDRESS names; without it, start one on this machine.

    Does nothing if this process is connected already.
    """
    import ray

    if not ray.is_initialized():
        # Without an address, ray would wait for a cluster that an old address file names.
        address = os.environ.get("RAY_ADDRESS", "local")
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
