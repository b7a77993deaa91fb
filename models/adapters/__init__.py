"""Fine-tuning on a scene or a domain with few numbers beside frozen weights."""

from models.adapters.adapter import adapter_parameters, add_adapter, merge_adapter, remove_adapter
from models.adapters.config import AdapterConfig
from models.adapters.files import load_adapter, save_adapter

__all__ = [
    "AdapterConfig",
    "adapter_parameters",
    "add_adapter",
    "load_adapter",
    "merge_adapter",
    "remove_adapter",
    "save_adapter",
]
