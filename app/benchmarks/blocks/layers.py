"""The layers that are measured, by name: whatever the three dictionaries hold, and sizes that matter."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.layers.attentions import ATTENTIONS, make_attention
from models.layers.attentions.multires_conv import MultiresConvolution
from models.layers.config import AttentionConfig, FeedForwardConfig, LinearConfig
from models.layers.contracts import Attention, FeedForward, Layout, Mode
from models.layers.feedforwards import FEED_FORWARDS, make_feed_forward
from models.layers.feedforwards.token_groups import layout_groups
from models.layers.linears import LINEARS, Blast

LayerConfig = FeedForwardConfig | AttentionConfig


@dataclass(frozen=True)
class Subject:
    """A layer to measure.

    Attributes:
        config: What is built.
        width: Share of the hidden width at which it runs.
    """

    config: LayerConfig
    width: float = 1.0

    @property
    def is_attention(self) -> bool:
        """Whether it mixes tokens; else it treats each for itself."""
        return isinstance(self.config, AttentionConfig)

    @property
    def baseline(self) -> str:
        """Name of the layer that it is compared with."""
        return "full" if self.is_attention else "dense"


def _of_maps(kind: Any, **options: Any) -> Subject:
    """A GELU layer of linear maps of a kind."""
    return Subject(FeedForwardConfig(linear=LinearConfig(kind, **options)))


LINEAR_SUBJECTS = {kind: _of_maps(kind) for kind in LINEARS} | {
    "dense_narrow": Subject(FeedForwardConfig(ratio=1.25)),
    "lowrank_quarter": _of_maps("lowrank", rank=0.25),
    "lowrank_guided": _of_maps("lowrank", self_guided=True),
    "block_shuffle_2": _of_maps("block_shuffle", blocks=2),
    "block_shuffle_8": _of_maps("block_shuffle", blocks=8),
    "btt_4": _of_maps("btt", rank=4.0),
    "blast_quarter": _of_maps("blast", rank=0.25),
}
FEED_FORWARD_SUBJECTS = {kind: Subject(FeedForwardConfig(kind)) for kind in FEED_FORWARDS if kind != "gelu"} | {
    "nested_half": Subject(FeedForwardConfig("nested"), width=0.5),
    "fast_3": Subject(FeedForwardConfig("fast", depth=3)),
    "peer": Subject(FeedForwardConfig("peer", experts=56)),
    "cdmoe": Subject(FeedForwardConfig("cdmoe", experts=40)),
}
ATTENTION_SUBJECTS = {kind: Subject(AttentionConfig(kind)) for kind in ATTENTIONS} | {
    "pruned_keys_quarter": Subject(AttentionConfig("pruned_keys", keep=0.25)),
    "full_registers": Subject(AttentionConfig(registers=32)),
}
SUBJECTS: dict[str, Subject] = LINEAR_SUBJECTS | FEED_FORWARD_SUBJECTS | ATTENTION_SUBJECTS
"""`dense` and `full` are what the others are compared with; a kind that is new in a dictionary is measured by itself.

peer and cdmoe have about as many parameters as the dense layer at a width of 768.
"""


THOUSAND = Layout(views=4, height=16, width=16)


@dataclass(frozen=True)
class Scale:
    """How large the layers and their inputs are.

    Attributes:
        dim: Token width.
        head_dim: Width of one attention head.
        layout: Tokens.
    """

    dim: int = 768
    head_dim: int = 64
    layout: Layout = THOUSAND


FULL = Scale()
TINY = Scale(dim=32, head_dim=8, layout=Layout(views=2, height=4, width=4))


def build(subject: Subject, scale: Scale, *, form: Mode) -> FeedForward | Attention:
    """A layer in the form that is trained, or in the one that is used; the same numbers at every call."""
    torch.manual_seed(0)
    if isinstance(subject.config, AttentionConfig):
        layer: FeedForward | Attention = make_attention(subject.config, scale.dim, scale.head_dim)
    else:
        layer = make_feed_forward(subject.config, scale.dim)
    return to_use(layer) if form == "eval" else layer.train()


def to_use(layer: FeedForward | Attention) -> FeedForward | Attention:
    """The same layer as it is after training: hardened, guides gone."""
    for part in layer.modules():
        if isinstance(part, FeedForward):
            part.schedule(1.0)
    layer.finalise()
    return layer.eval()


def keywords(subject: Subject, layout: Layout) -> dict[str, Any]:
    """What a layer is told beside its tokens."""
    if isinstance(subject.config, AttentionConfig):
        return {"layout": layout}
    told: dict[str, Any] = {"width": subject.width}
    if subject.config.kind == "grouped":
        told["group_ids"] = layout_groups(subject.config.key, layout, subject.config.experts)
    return told


def tokens(scale: Scale, batch: int = 1) -> Tensor:
    """Random tokens, the same at every call."""
    shape = (batch, scale.layout.length, scale.dim)
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def elementwise_macs(layer: nn.Module, layout: Layout) -> int:
    """Multiply-adds outside of matrix products and filters of torch, which its counter does not see."""
    per_token = 0
    for part in layer.modules():
        if isinstance(part, Blast):
            per_token += part.diagonal.numel()
        elif isinstance(part, MultiresConvolution):
            per_token += part.ahead.macs() + part.back.macs()
    return per_token * layout.length
