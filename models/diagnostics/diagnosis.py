"""All figures of a network, one row for each layer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from models.diagnostics.activations import BLOCKS, Activations
from models.diagnostics.gram import spectral_norm_bound
from models.diagnostics.heavy_tail import heavy_tail_exponent
from models.diagnostics.matrices import weight_matrices
from models.diagnostics.rotation import is_chance, layer_rotation
from models.diagnostics.utilisation import hard_rank, soft_rank, squared_singular_values


@dataclass(frozen=True)
class LayerFigures:
    """One layer, or one block, of which only `rms` is known. None: not known, or without meaning.

    Attributes:
        name: Of the layer in the network.
        rows: Outputs.
        columns: Inputs of one output.
        rotation: 1 - cosine to the same layer of the reference.
        hard_rank: Of the weights, as a share of full rank.
        soft_rank: The same by entropy.
        tail: Exponent of the spectrum's tail; infinite for a flat spectrum.
        norm_bound: Upper bound of the largest singular value.
        rms: Root mean square of the outputs.
        hidden_hard: Hard rank of the activations that enter this layer, where they are hidden units, as a share of
            their number.
        hidden_soft: The same by entropy.
        hidden_samples: Tokens or pixels that this was measured on.
    """

    name: str
    rows: int | None = None
    columns: int | None = None
    rotation: float | None = None
    hard_rank: float | None = None
    soft_rank: float | None = None
    tail: float | None = None
    norm_bound: float | None = None
    rms: float | None = None
    hidden_hard: float | None = None
    hidden_soft: float | None = None
    hidden_samples: int | None = None

    @property
    def layer_rms(self) -> float | None:
        """`rms`, if this is a layer."""
        return None if self.rows is None else self.rms

    @property
    def block_rms(self) -> float | None:
        """`rms`, if this is a block."""
        return self.rms if self.rows is None else None


@dataclass(frozen=True)
class Diagnosis:
    """A network.

    Attributes:
        layers: In the order in which the network is built, which is that of the computation; blocks after their parts.
        compared: Layers that the reference has in the same shape.
        related: Of those, the ones whose angle to the reference is no matter of chance.
    """

    layers: tuple[LayerFigures, ...]
    compared: int
    related: int


def diagnose(
    network: nn.Module, reference: nn.Module | None = None, activations: Activations | None = None
) -> Diagnosis:
    """Figures of all layers.

    Args:
        network: With trained weights.
        reference: What rotations are measured against: the initialisation, or another training.
        activations: What was recorded while the network ran; without, there are no figures of activations.
    """
    before = {} if reference is None else weight_matrices(reference)
    matrices = weight_matrices(network)
    rows = [_layer(name, matrix, before, activations) for name, matrix in matrices.items()]
    compared = [row for row in rows if row.rotation is not None]
    related = [row for row in compared if not is_chance(row.rotation or 0.0, matrices[row.name].numel())]
    if activations is not None:
        rows = _with_blocks(rows, network, activations)
    return Diagnosis(tuple(rows), len(compared), len(related))


def _layer(
    name: str,
    matrix: Float[Tensor, "rows columns"],
    before: Mapping[str, Tensor],
    activations: Activations | None,
) -> LayerFigures:
    values = squared_singular_values(matrix)
    old = before.get(name)
    hidden = None if activations is None else activations.hidden.get(name)
    spectrum = None if hidden is None else hidden.eigenvalues()
    return LayerFigures(
        name,
        *matrix.shape,
        rotation=layer_rotation(matrix, old) if old is not None and old.shape == matrix.shape else None,
        hard_rank=hard_rank(values) / len(values),
        soft_rank=soft_rank(values) / len(values),
        tail=heavy_tail_exponent(matrix),
        norm_bound=float(spectral_norm_bound(matrix.double())),
        rms=None if activations is None else activations.rms(name),
        hidden_hard=None if spectrum is None else hard_rank(spectrum) / len(spectrum),
        hidden_soft=None if spectrum is None else soft_rank(spectrum) / len(spectrum),
        hidden_samples=None if hidden is None else hidden.count,
    )


def _with_blocks(rows: Iterable[LayerFigures], network: nn.Module, activations: Activations) -> list[LayerFigures]:
    """A row for each block, behind its last layer."""
    found = list(rows)
    for name, part in network.named_modules():
        inside = [i for i, row in enumerate(found) if row.name.startswith(f"{name}.")]
        if isinstance(part, BLOCKS) and inside:
            found.insert(inside[-1] + 1, LayerFigures(name, rms=activations.rms(name)))
    return found
