"""What sizes a network can be built with."""

from models.block_settings import fault_in_block, short
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import FeedbackConfig, NanoConfig
from models.layers.config import BlockConfig

MAX_SIZE = 4096
"""Of any width and number of planes; several times what is of use."""
MAX_LAYERS = 256
MAX_RANGE = 1e6
"""Of depth planes, in reference lengths."""
NANO_MULTIPLE = 16
"""Of pixels: the map at 1/8 is cut into patches of two."""
GROUPS = 8
"""In which channels are normalised."""
FEATURE_STEP = 2 * GROUPS
"""Half of the feature channels are normalised too."""
MAX_PASSES = 64
"""Of feedback, each of which renders all views."""
_NANO_SIZES = dict.fromkeys(
    ("feature_dim", "match_dim", "num_sources", "coarse_planes", "fine_planes", "finest_planes"), MAX_SIZE
)
_ILRM_SIZES = {"patch": 64, "viewpoint_factor": 16, "uplift": 16}


def fault_in_sizes(config: NanoConfig | ILRMConfig) -> str | None:
    """Why no network can be built with these sizes, in words, or None.

    Args:
        config: Fields of the annotated types; NaN, infinite and huge numbers are looked for.
    """
    own = _NANO_SIZES if isinstance(config, NanoConfig) else _ILRM_SIZES
    for name, largest in [("dim", MAX_SIZE), ("head_dim", MAX_SIZE), ("num_layers", MAX_LAYERS), *own.items()]:
        if not 1 <= (found := getattr(config, name)) <= largest:
            return f"{name} is {short(found)}, expected 1 to {largest}"
    if config.dim % config.head_dim:
        return f"dim is {config.dim}, expected a multiple of head_dim, which is {config.head_dim}"
    if isinstance(config, NanoConfig) and (fault := _fault_in_planes(config) or _fault_in_feedback(config.feedback)):
        return fault
    return fault_in_block(config.block, config.dim, config.head_dim) or _fault_in_keys(config.block)


def size_multiple(config: NanoConfig | ILRMConfig) -> int:
    """What divides the sides of the images that a network of these sizes takes."""
    return NANO_MULTIPLE if isinstance(config, NanoConfig) else config.patch * config.viewpoint_factor


def _fault_in_keys(block: BlockConfig) -> str | None:
    """Update layers of both networks see patches alone: by kind, one expert would get all tokens."""
    chosen = block.feed_forward
    if chosen.kind != "grouped" and block.attention.experts == 1:
        return None
    for name in ("key", "second_key"):
        if getattr(chosen, name) == "kind":
            return (
                f"block.feed_forward.{name} is kind, but all tokens of this network are of one kind, and one expert "
                "alone would be trained; choose view, checkerboard or ray"
            )
    return None


def _fault_in_feedback(config: FeedbackConfig) -> str | None:
    for name, least, largest in (("passes", 0, MAX_PASSES), ("width", 1, MAX_SIZE), ("blocks", 1, MAX_LAYERS)):
        if not least <= (found := getattr(config, name)) <= largest:
            return f"feedback.{name} is {short(found)}, expected {least} to {largest}"
    if config.width % GROUPS:
        return f"feedback.width is {config.width}, expected a multiple of {GROUPS}"
    return None


def _fault_in_planes(config: NanoConfig) -> str | None:
    if config.feature_dim % FEATURE_STEP:
        return f"feature_dim is {config.feature_dim}, expected a multiple of {FEATURE_STEP}"
    if not 0 < config.nearest < config.farthest <= MAX_RANGE:
        nearest, farthest = short(config.nearest), short(config.farthest)
        return f"planes from {nearest} to {farthest}, expected 0 < nearest < farthest <= {MAX_RANGE:g}"
    for name in ("fine_range", "finest_range"):
        if not 0 < (reach := getattr(config, name)) <= MAX_RANGE:
            return f"{name} is {short(reach)}, expected more than 0 and at most {MAX_RANGE:g}"
    return None
