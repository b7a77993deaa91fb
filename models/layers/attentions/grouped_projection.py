"""A projection for each group of tokens."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear

from models.layers.feedforwards.parts import uniform_rows
from models.layers.feedforwards.routing import RouteCache, by_group, require_groups


class GroupedProjection(nn.Module):
    """A matrix for each group: the untied projections of mixture-of-transformers (Liang et al. 2024, section 2).

    The work of one for every token, the numbers of all. Tokens still attend to those of all groups.

    Args:
        in_features: Width of the input.
        out_features: Width of the output.
        experts: Number of groups.
    """

    def __init__(self, in_features: int, out_features: int, experts: int):
        super().__init__()
        self.num_experts = experts
        self.weight = uniform_rows(experts * out_features, in_features, in_features)
        self._routes = RouteCache()

    def forward(
        self, x: Float[Tensor, "batch length in_features"], group_ids: Int[Tensor, "*batch length"] | None
    ) -> Float[Tensor, "batch length out_features"]:
        """Every token through the matrix of its group.

        Raises:
            InputError: Without group ids, or with ids outside of 0 .. experts - 1.
        """
        groups = require_groups(group_ids, self.num_experts).expand(x.shape[:2]).reshape(-1)
        matrices = self.weight.chunk(self.num_experts)
        routing = self._routes.route(groups, self.num_experts)
        return by_group(x.flatten(0, 1), routing, lambda index, own: linear(own, matrices[index])).unflatten(
            0, x.shape[:2]
        )

    def macs(self) -> int:
        """One matrix for every token."""
        return self.weight.numel() // self.num_experts
