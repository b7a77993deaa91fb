"""Heads: from tokens to what a network says of them."""

from models.layers.heads.catalogue import HEADS, HeadKind, make_head

__all__ = ["HEADS", "HeadKind", "make_head"]
