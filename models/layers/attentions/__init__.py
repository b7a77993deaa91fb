"""Attention: how tokens learn from each other."""

from models.layers.attentions.catalogue import ATTENTIONS, make_attention
from models.layers.attentions.cross import CrossAttention
from models.layers.attentions.full import SelfAttention
from models.layers.attentions.sdpa import attention

__all__ = ["ATTENTIONS", "CrossAttention", "SelfAttention", "attention", "make_attention"]
