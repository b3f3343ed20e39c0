"""Telemetry of the libraries that orbat uses, switched off.

`import orbat` sets these environment variables before it imports the libraries, and the processes
that it starts inherit them. A variable that has a value already keeps it.
"""

from __future__ import annotations

import os

ONNXRUNTIME_SWITCH = ("ORT_DISABLE_TELEMETRY", "1")
"""The variable that model wheels set as well: onnxruntime from 1.29 reads it once, when loaded."""

SWITCHES = dict(
    [
        ONNXRUNTIME_SWITCH,
        # huggingface_hub and transformers, also for datasets: what their user agent describes.
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        # datasets: the request that counts the download of a data set.
        ("HF_UPDATE_DOWNLOAD_COUNTS", "0"),
        # Ray: hourly reports of the cluster.
        ("RAY_USAGE_STATS_ENABLED", "0"),
    ]
)
"""Value of each environment variable that switches off the telemetry of a library."""


def switch_off_telemetry() -> None:
    """Set the environment variables of :data:`SWITCHES` that are not set."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
