"""Groups of viewpoint tokens for layers that have an expert for each."""

from jaxtyping import Float, Int
from torch import Tensor

from models.layers.config import BlockConfig, Key
from models.layers.contracts import Layout
from models.layers.feedforwards.keys import product_keys
from models.layers.feedforwards.token_groups import layout_groups, patch_directions, point_groups, ray_groups
from models.layers.precision import full_precision
from recon.errors import InputError


@full_precision
def group_ids(
    block: BlockConfig,
    grid: tuple[int, int],
    world_from_cam: Float[Tensor, "batch views 4 4"],
    K: Float[Tensor, "batch views 3 3"],
    side: int,
    points: Float[Tensor, "batch patches 3"] | None = None,
) -> Int[Tensor, "batch views length"] | None:
    """Group of every viewpoint token, made once for all blocks, or None if no layer asks for groups.

    Args:
        block: What the update layers are made of.
        grid: Rows and columns of tokens of a view.
        world_from_cam: Camera-to-world, normalised.
        K: Intrinsics in pixels of the full image.
        side: Pixels of the full image that a token spans in each direction.
        points: A coarse point in the world for every token, if the network knows one.

    Raises:
        InputError: Groups by points are asked for, and there are none.
    """
    chosen = block.feed_forward
    if chosen.kind != "grouped" and block.attention.experts == 1:
        return None
    batch, views = K.shape[:2]
    layout = Layout(views, *grid)

    def by(key: Key) -> Int[Tensor, "batch length"]:
        if key == "ray":
            return ray_groups(patch_directions(world_from_cam, K, layout, side), layout, chosen.experts)
        if key != "morton":
            return layout_groups(key, layout, chosen.experts).to(K.device).expand(batch, -1)
        if points is None:
            raise InputError(
                "feed_forward.key: morton groups tokens by points that this network does not know beforehand",
                hint="use ray, view or checkerboard",
            )
        return point_groups(points, layout, chosen.experts)

    ids = by(chosen.key)
    if chosen.second_key != "none":
        ids = product_keys(ids, by(chosen.second_key), chosen.experts)
    return ids.unflatten(1, (views, -1))
