"""The device that a transformer trains on, and the arithmetic that it trains in."""

from __future__ import annotations

from typing import Literal

import torch
from accelerate.utils import parse_flag_from_env

from ...errors import InputError

Precision = Literal["bf16", "fp16", "fp32"]
"""Names of the arithmetic, as accelerate's `mixed_precision` has them but for `fp32`."""
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": None}


def training_device() -> torch.device:
    """Return the GPU, of whatever kind torch was built for (CUDA, MPS, XPU), or else the CPU.

    As in accelerate, the variable `ACCELERATE_USE_CPU`, which `accelerate launch --cpu` sets,
    chooses the CPU.
    """
    if torch.accelerator.is_available() and not parse_flag_from_env("ACCELERATE_USE_CPU"):
        device = torch.accelerator.current_accelerator()
        if device is not None:
            return device
    return torch.device("cpu")


def choose_precision(dtype: Precision | Literal["auto"]) -> Precision:
    """Return the arithmetic that a recipe's `dtype` means on this machine.

    Raises:
        InputError: if the device does not support it.
    """
    device = training_device().type
    if dtype == "auto":
        return "bf16" if _bf16_is_fast(device) else "fp32"
    if dtype == "fp16" and device == "cpu":
        raise InputError("dtype fp16 needs a GPU; set dtype to bf16, fp32 or auto")
    return dtype


def autocast_dtype(precision: Precision) -> torch.dtype | None:
    """Return the dtype of torch's autocast; None for none."""
    return _AUTOCAST[precision]


def _bf16_is_fast(device: str) -> bool:
    """Return whether a device has bf16 arithmetic: CUDA's, or a CPU's AVX512-BF16 or AMX."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities() if device == "cpu" else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
