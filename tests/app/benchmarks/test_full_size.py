from app.benchmarks.full_size import VARIANTS, measure
from models.ilrm.network import ILRM
from tests.models.walls import TINY


def test_every_weight_of_a_step_gets_a_gradient() -> None:
    expected = sum(p.numel() for p in ILRM(TINY).parameters())
    figures = measure(TINY, 3, expected)
    assert figures["weights_without_finite_gradient"] == 0
    assert figures["off_the_paper_percent"] == 0
    assert figures["loss"] > 0


def test_the_full_sizes_are_those_of_the_presets() -> None:
    """171 M and 185 M in the paper."""
    assert [round(parameters / 1e6) for _, _, parameters in VARIANTS.values()] == [171, 186]
