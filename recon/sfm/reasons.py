"""Why a photograph has no pose, in words."""

from collections.abc import Sequence

from recon.sfm.match_graph import MatchGraph
from recon.sfm.workspace import MIN_SIDE_PX
from recon.types import Photograph


def reason_for_failure(
    index: int,
    registered: Sequence[int],
    graph: MatchGraph,
    photographs: Sequence[Photograph],
    contradicted: dict[int, float],
) -> str:
    """What kept one photograph out of the model.

    Args:
        index: The photograph.
        registered: Those in the model.
        graph: Verified matches.
        photographs: All, for their names.
        contradicted: Photographs taken out of the model, and the share of their matches that agreed with it.
    """
    num_keypoints = graph.num_keypoints.get(index)
    if num_keypoints is None:
        width, height = photographs[index].size
        return f"too small: {width} x {height} pixels, each side needs at least {MIN_SIDE_PX} after reduction"
    if num_keypoints < graph.min_matches:
        return f"too few features: {num_keypoints}, at least {graph.min_matches} are needed (uniform, blurred or tiny?)"
    pairs = graph.of(index)
    if not pairs:
        tentative = max((n for pair, n in graph.num_tentative.items() if index in pair), default=0)
        return (
            f"too few matches: at best {tentative} unverified ones with another photograph, "
            f"{graph.min_matches} verified ones are needed"
        )
    best = pairs[0]
    other = photographs[best.second if best.first == index else best.first].name
    if not registered:
        return (
            f"no relative pose: it matches {other} ({len(best)} matches), but they do not agree with one motion "
            "between different places (taken from one spot, or only similar things?)"
        )
    linked = [pair for pair in pairs if pair.first in registered or pair.second in registered]
    if not linked:
        return f"not connected: it matches {other} ({len(best)} matches), but none of the photographs in the model"
    if index in contradicted:
        return f"contradictory matches: only {contradicted[index]:.0%} of them agree with any one position"
    most = max(len(pair) for pair in linked)
    return f"no consistent position: at most {most} matches with a photograph in the model"
