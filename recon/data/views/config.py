"""Which view sampler a run uses, and the settings of each."""

from dataclasses import dataclass, field
from typing import Literal

from recon.data.views.bounded import Bounded
from recon.data.views.bounded_v2 import BoundedV2
from recon.data.views.samplers import ViewSampler
from recon.data.views.whole_span import RandomSpan, WholeSpan


@dataclass(frozen=True)
class ViewsConfig:
    """A sampler by name; the sections of the others are not used.

    Attributes:
        sampler: Name of the section that is used.
        random_span: Spans of random length and place.
        whole_span: The whole capture.
        bounded: RealEstate10K: a gap in frames that grows with the step.
        bounded_v2: DL3DV: random numbers of views, chosen by their cameras.
    """

    sampler: Literal["random_span", "whole_span", "bounded", "bounded_v2"] = "random_span"
    random_span: RandomSpan = field(default_factory=RandomSpan)
    whole_span: WholeSpan = field(default_factory=WholeSpan)
    bounded: Bounded = field(default_factory=Bounded)
    bounded_v2: BoundedV2 = field(default_factory=BoundedV2)

    @property
    def chosen(self) -> ViewSampler:
        """The sampler of that name."""
        return getattr(self, self.sampler)
