"""Linear maps: plain matrices, and structured ones with fewer numbers."""

from models.layers.linears.blast import Blast
from models.layers.linears.block_dense import BlockDense
from models.layers.linears.block_shuffle import BlockShuffle
from models.layers.linears.btt import BTT
from models.layers.linears.catalogue import LINEARS, make_linear
from models.layers.linears.dense import Dense
from models.layers.linears.factored import Factored
from models.layers.linears.lowrank import LowRank
from models.layers.linears.self_guided import SelfGuided, finalise_guides, guides_count, schedule_guides
from models.layers.linears.stacked import Stacked

__all__ = [
    "BTT",
    "LINEARS",
    "Blast",
    "BlockDense",
    "BlockShuffle",
    "Dense",
    "Factored",
    "LowRank",
    "SelfGuided",
    "Stacked",
    "finalise_guides",
    "guides_count",
    "make_linear",
    "schedule_guides",
]
