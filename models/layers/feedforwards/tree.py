"""A binary tree of yes/no decisions with linear tests, in heap order: the children of node i are 2i+1 and 2i+2."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from models.layers.precision import at_least_float32


def leaf_weights(right: Float[Tensor, "tokens nodes"], depth: int) -> Float[Tensor, "tokens leaves"]:
    """Weight of every leaf: the product of the probabilities on the way to it.

    Args:
        right: Probability at every node of going to the right child.
        depth: Decisions on the way to a leaf; there are 2^depth - 1 nodes.
    """
    weights = right.new_ones(len(right), 1)
    for level in range(depth):
        p = right[:, 2**level - 1 : 2 ** (level + 1) - 1]
        weights = torch.stack([weights * (1 - p), weights * p], dim=-1).flatten(1)
    return weights


def chosen_leaf(logits: Float[Tensor, "tokens nodes"], depth: int) -> Int[Tensor, " tokens"]:
    """Leaf that every token reaches when it goes right exactly where the logit is not negative."""
    goes_right = (logits >= 0).long()
    leaf = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    for level in range(depth):
        node = leaf + (2**level - 1)
        leaf = 2 * leaf + goes_right.gather(1, node[:, None])[:, 0]
    return leaf


def decision_entropy(logits: Float[Tensor, "tokens nodes"]) -> Float[Tensor, " nodes"]:
    """Mean entropy of every node's decision over the tokens, in nats; 0 for decisions that are sure.

    Of logits, not of probabilities, which round to 0 and 1, where the slope of p log p has no end.
    """
    logits = at_least_float32(logits)
    return (softplus(logits) - logits * logits.sigmoid()).mean(dim=0)
