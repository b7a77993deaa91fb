"""Tile-based rasteriser in plain torch, for machines where numba cannot be imported."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from recon.render.base import BlendCall, Blended, BlendingRasterizer
from recon.render.colors import view_colors
from recon.render.splats import MIN_ALPHA, STOP_TRANSMITTANCE, Splats, project_splats

_TILE = 16
_SPLATS_PER_ROUND = 32


class TiledRasterizer(BlendingRasterizer):
    """All tiles blend their next 32 splats at once, until every pixel is opaque or the lists end.

    Each round is computed again in the backward pass, so that memory grows with the number of rounds only by the
    image.
    """

    name = "torch"

    def blend(self, call: BlendCall) -> Blended:
        """See `BlendingRasterizer.blend`."""
        per_view = view_colors(call.means, call.colors, call.viewmats, call.sh_degree)
        images, alphas = [], []
        for camera, viewmat in enumerate(call.viewmats):
            splats = project_splats(
                call.means, call.quats, call.scales, call.opacities, viewmat, call.Ks[camera], call.size, call.config
            )
            channels = per_view[min(camera, len(per_view) - 1)][splats.index]
            finite = channels.detach().isfinite().all(1).nonzero().flatten()
            splats, channels = splats.at(finite), channels[finite]
            if call.with_depth:
                channels = torch.cat([channels, splats.depth[:, None]], dim=1)
            color, transmittance = _blend_tiles(splats, channels, call.size, call.config.max_alpha)
            images.append(color + transmittance * call.backgrounds[camera])
            alphas.append(1 - transmittance)
        return torch.stack(images), torch.stack(alphas)


class _TileLists(NamedTuple):
    """Which splats touch which tile: entries of tile t are first[t] : first[t] + count[t], near to far."""

    entry_splat: Int[Tensor, " entries"]
    first: Int[Tensor, " tiles"]
    count: Int[Tensor, " tiles"]


class _Pixels(NamedTuple):
    """State of the tiles' pixels."""

    color: Float[Tensor, "tiles pixels channels"]
    transmittance: Float[Tensor, "tiles pixels"]
    live: Bool[Tensor, "tiles pixels"]


@torch.no_grad()
def _tile_lists(splats: Splats, grid: tuple[int, int]) -> _TileLists:
    low = ((splats.mean_px - splats.extent_px) / _TILE).floor()
    high = ((splats.mean_px + splats.extent_px) / _TILE).floor() + 1
    limit = torch.tensor(grid, dtype=low.dtype, device=low.device)
    low, high = (torch.minimum(edge.clamp_min(0), limit).long() for edge in (low, high))
    span = (high - low).clamp_min(0)
    num = span.prod(1)
    entry_splat = torch.repeat_interleave(torch.arange(len(num), device=num.device), num)
    within = torch.arange(len(entry_splat), device=num.device) - (num.cumsum(0) - num)[entry_splat]
    columns = span[entry_splat, 0]
    tile_x = low[entry_splat, 0] + within % columns
    tile_y = low[entry_splat, 1] + torch.div(within, columns, rounding_mode="floor")
    tile = tile_y * grid[0] + tile_x
    order = tile.argsort(stable=True)
    count = torch.bincount(tile, minlength=grid[0] * grid[1])
    return _TileLists(entry_splat[order], count.cumsum(0) - count, count)


def _blend_tiles(
    splats: Splats, channels: Float[Tensor, "splats channels"], size: tuple[int, int], max_alpha: float
) -> tuple[Float[Tensor, "height width channels"], Float[Tensor, "height width 1"]]:
    """Blended channels without background, and transmittance."""
    width, height = size
    grid = (-(-width // _TILE), -(-height // _TILE))
    num_tiles = grid[0] * grid[1]
    lists = _tile_lists(splats, grid)
    corner = torch.arange(num_tiles, device=channels.device)
    corner = torch.stack([corner % grid[0], torch.div(corner, grid[0], rounding_mode="floor")], dim=1) * _TILE
    shape = (num_tiles, _TILE * _TILE)
    pixels = _Pixels(
        channels.new_zeros(*shape, channels.shape[1]),
        channels.new_ones(shape),
        torch.ones(shape, dtype=torch.bool, device=channels.device),
    )
    for start in range(0, int(lists.count.max()), _SPLATS_PER_ROUND):
        active = (pixels.live.any(1) & (lists.count > start)).nonzero().flatten()
        if not len(active):
            break
        place = start + torch.arange(_SPLATS_PER_ROUND, device=active.device)
        present = place < lists.count[active, None]
        chosen = lists.entry_splat[torch.where(present, lists.first[active, None] + place, 0)]
        old = _Pixels(*(field[active] for field in pixels))
        new = checkpoint(
            _blend_round, splats, channels, chosen, present, corner[active], old, max_alpha,
            use_reentrant=False, preserve_rng_state=False,
        )  # fmt: skip
        pixels = _Pixels(*(field.index_copy(0, active, part) for field, part in zip(pixels, new, strict=True)))
    color = _image_from_tiles(pixels.color, grid)[:height, :width]
    transmittance = _image_from_tiles(pixels.transmittance[..., None], grid)[:height, :width]
    return color, transmittance


def _blend_round(
    splats: Splats,
    channels: Float[Tensor, "all_splats channels"],
    chosen: Int[Tensor, "tiles splats"],
    present: Bool[Tensor, "tiles splats"],
    corner: Int[Tensor, "tiles 2"],
    old: _Pixels,
    max_alpha: float,
) -> _Pixels:
    """Blend the chosen splats of each tile behind what is there (Kerbl et al. 2023, eq. 3)."""
    step = torch.arange(_TILE, device=corner.device) + 0.5
    delta = (corner[:, :, None] + step)[:, None].to(channels.dtype) - splats.mean_px[chosen][..., None]
    dx, dy = delta[:, :, 0, None, :], delta[:, :, 1, :, None]
    xx, xy, yy = splats.conic[chosen][..., None, None].unbind(2)
    sigma = (0.5 * xx * dx * dx + 0.5 * yy * dy * dy + xy * dx * dy).flatten(2)
    alpha = (splats.opacity[chosen][..., None] * torch.exp(-sigma)).clamp_max(max_alpha)
    counts = (sigma >= 0) & (alpha >= MIN_ALPHA) & present[..., None]
    alpha = torch.where(counts, alpha, torch.zeros_like(alpha))
    log_rest = torch.log1p(-alpha)
    log_after = log_rest.cumsum(1)
    start = old.transmittance[:, None]
    adds = (start * torch.exp(log_after) > STOP_TRANSMITTANCE) & old.live[:, None]
    weight = torch.where(adds, alpha * start * torch.exp(log_after - log_rest), torch.zeros_like(alpha))
    color = old.color + torch.einsum("tsp,tsc->tpc", weight, channels[chosen])
    kept = torch.where(adds, log_rest, torch.zeros_like(log_rest)).sum(1)
    return _Pixels(color, old.transmittance * torch.exp(kept), old.live & adds.all(1))


def _image_from_tiles(
    tiles: Float[Tensor, "tiles pixels channels"], grid: tuple[int, int]
) -> Float[Tensor, "rows columns channels"]:
    blocks = tiles.reshape(grid[1], grid[0], _TILE, _TILE, -1)
    return blocks.transpose(1, 2).reshape(grid[1] * _TILE, grid[0] * _TILE, -1)
