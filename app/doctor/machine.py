"""Facts about the machine."""

import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numba
import psutil
import torch

import recon
from models.layers.precision import bfloat16_where_fast
from recon.pipeline.versions import library_versions
from recon.render.cpu.jit import cache_directory

THREAD_SETTINGS = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def machine_facts() -> dict[str, Any]:
    """Python, processor, threads, memory, disk and accelerator."""
    memory = psutil.virtual_memory()
    settings = {name: os.environ[name] for name in THREAD_SETTINGS if name in os.environ}
    temporary = tempfile.gettempdir()
    return {
        "recon": recon.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cuda": cuda_state(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "numba_threads": numba.get_num_threads(),
        "thread_settings": ", ".join(f"{name}={value}" for name, value in settings.items()) or "none",
        "bfloat16": bfloat16_state(),
        "memory_mb": round(memory.total / 1e6),
        "free_memory_mb": round(memory.available / 1e6),
        "free_disk_mb": free_mb(Path.cwd()),
        "temporary_folder": temporary,
        "free_temporary_mb": free_mb(Path(temporary)),
    }


def libraries() -> dict[str, str]:
    """Versions of the libraries that shape a result."""
    return {name: version for name, version in library_versions().items() if name not in ("python", "recon")}


def cuda_state() -> str:
    """Whether torch can use a CUDA device, or why not."""
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return f"CUDA {torch.version.cuda}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if torch.version.cuda is None:
        driver = "; a driver is there: install a CUDA build of torch to use it" if shutil.which("nvidia-smi") else ""
        return f"none: this torch is built for the CPU{driver}"
    return f"none: torch is built for CUDA {torch.version.cuda}, but finds no device or no driver"


def bfloat16_state() -> str:
    """Whether networks run in bfloat16 here."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with bfloat16_where_fast(device):
        enabled = torch.is_autocast_enabled(device.type)
    return "used, computed by the hardware" if enabled else "not used: the hardware would emulate it"


def free_mb(folder: Path) -> int:
    """Room on the disk of a folder."""
    return round(shutil.disk_usage(folder).free / 1e6)


def kernel_cache() -> dict[str, str]:
    """Where compiled kernels of the rasteriser are kept, whether it takes files, and what is there."""
    folder = cache_directory()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"no ({error.strerror or error}): each process compiles anew, for ten seconds; set NUMBA_CACHE_DIR"
        return {"folder": str(folder), "writable": why, "holds": "nothing"}
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    holds = f"{len(files)} files, {size:.1f} MB" if files else "nothing yet: the first run takes ten seconds more"
    return {"folder": str(folder), "writable": "yes", "holds": holds}
