"""Options of refinement."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearningRates:
    """Step sizes of Adam at the start.

    Attributes:
        means: In distances to the nearest camera.
        scales: Of natural logarithms.
        quats: Of the four numbers, which are normalised afterwards.
        opacities: Of logits.
        colours: Of the spherical-harmonic coefficient of degree 0.
        exposure: Of log gains and of offsets in sRGB.
        rotation: Of cameras, radians.
        translation: Of cameras, in distances to what they see.
    """

    means: float = 1e-3
    scales: float = 5e-3
    quats: float = 1e-3
    opacities: float = 2e-2
    colours: float = 2.5e-3
    exposure: float = 5e-3
    rotation: float = 1e-3
    translation: float = 1e-3


@dataclass(frozen=True)
class RefineConfig:
    """How Gaussians are fitted to photographs.

    Attributes:
        steps: Most optimiser steps; each renders one view.
        exposure: Whether every view gets a gain and an offset per colour channel.
        poses: Whether the cameras move too.
        check_every: Steps between looks at the view that is held back, if all views are fitted once in so many; else
            there are as many steps as views between looks.
        patience: Looks without improvement after which fitting stops.
        rates: Step sizes.
        final_rate: Factor that the step sizes have fallen to at the last step, exponentially.
        least_scale_px: Standard deviation that no Gaussian falls below, in pixels of the nearest view. A viewer that
            magnifies the pictures shows gaps between thinner ones (Yu et al. 2024, Mip-Splatting, section 5.1).
        min_opacity: Gaussians below it are pruned at the end.
    """

    steps: int = 200
    exposure: bool = True
    poses: bool = False
    check_every: int = 25
    patience: int = 3
    rates: LearningRates = LearningRates()
    final_rate: float = 0.2
    min_opacity: float = 0.02
    least_scale_px: float = 0.3
