"""Names of the published iLRM checkpoints, mapped one to one to ours.

Both releases hold the same parts under other names; nothing is reshaped or merged.
"""

import math
import re
from dataclasses import replace

from torch import Tensor

from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from recon.errors import CheckpointError

MAIN_RULES = {
    r"^(encoder\.)?scaler\.input_tokenizer\.": "viewpoint_tokenizer.0.",
    r"^(encoder\.)?scaler\.input_layernorm\.": "viewpoint_tokenizer.1.",
    r"^(encoder\.)?scaler\.support_tokenizer\.": "image_tokenizer.0.",
    r"^(encoder\.)?scaler\.support_layernorm\.": "image_tokenizer.1.",
    r"^(encoder\.)?scaler\.(processor|token_decoder)\.": r"\2.",
}
WIDE_RULES = {
    r"^viewpoint_tokenizer\.1\.": "viewpoint_tokenizer.0.",
    r"^viewpoint_tokenizer\.2\.": "viewpoint_tokenizer.1.",
    r"^image_tokenizer\.1\.": "image_tokenizer.0.",
    r"^image_tokenizer\.2\.": "image_tokenizer.1.",
    r"^viewpoint_token_decoder\.": "token_decoder.",
    r"^processor\.": "processor.",
}


def from_published(state: dict[str, Tensor]) -> tuple[ILRMConfig, dict[str, Tensor]]:
    """Our config and state dict for a published one; the release is told from its names, the sizes from its shapes.

    Whether these are the published sizes is for the caller to say.

    Raises:
        CheckpointError: A name that belongs to neither release, a missing weight, or shapes that no size explains.
    """
    wide = any(key.startswith("viewpoint_token_decoder.") for key in state)
    rules = WIDE_RULES if wide else MAIN_RULES
    renamed = {_rename(key, rules): value for key, value in state.items()}
    if len(renamed) < len(state):
        raise CheckpointError(
            f"the checkpoint holds {len(state)} tensors under {len(renamed)} different names, expected each once",
            hint="give the file as it was published",
        )
    base = DL3DV_WIDE if wide else RE10K_2VIEW
    dim, viewpoint_channels = _matrix(renamed, "viewpoint_tokenizer.0.weight")
    queries, _ = _matrix(renamed, "processor.blocks.0.read_cross.q.weight")
    _, head_dim = _matrix(renamed, "processor.blocks.0.read_cross.q_norm.weight")
    patch, uplift = math.isqrt(viewpoint_channels // base.ray_channels), queries // dim
    if patch**2 * base.ray_channels != viewpoint_channels or uplift * dim != queries:
        raise CheckpointError(
            f"{viewpoint_channels} viewpoint channels and {queries} query rows, expected a square number times "
            f"{base.ray_channels} and a multiple of {dim}"
        )
    blocks = {int(match[1]) for key in renamed if (match := re.match(r"processor\.blocks\.(\d+)\.", key))}
    num_layers = len(blocks) // 2
    return replace(base, dim=dim, head_dim=head_dim, num_layers=num_layers, patch=patch, uplift=uplift), renamed


def _matrix(state: dict[str, Tensor], name: str) -> tuple[int, int]:
    """Rows and columns of a weight; a vector is one row."""
    if name not in state or not 1 <= state[name].ndim <= 2 or not state[name].numel():
        raise CheckpointError(f"the checkpoint holds no matrix for {name}", hint="give the file as it was published")
    return state[name].shape[0] if state[name].ndim == 2 else 1, state[name].shape[-1]


def _rename(key: str, rules: dict[str, str]) -> str:
    for pattern, replacement in rules.items():
        if re.match(pattern, key):
            return re.sub(pattern, replacement, key)
    raise CheckpointError(
        f"the checkpoint holds {key!r}, which no published iLRM release has",
        hint="give the file as it was published, or convert it with its own tool",
    )
