"""Facts about the machine."""

import os
import platform
import shutil
from pathlib import Path
from typing import Any

import psutil
import torch

import recon
from recon.pipeline.versions import library_versions


def machine_facts() -> dict[str, Any]:
    """Python, processor, memory, disk and accelerator."""
    memory = psutil.virtual_memory()
    return {
        "recon": recon.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_mb": round(memory.total / 1e6),
        "free_memory_mb": round(memory.available / 1e6),
        "free_disk_mb": round(shutil.disk_usage(Path.cwd()).free / 1e6),
    }


def libraries() -> dict[str, str]:
    """Versions of the libraries that shape a result."""
    return {name: version for name, version in library_versions().items() if name not in ("python", "recon")}
