"""What trained weights look like from inside, layer by layer."""

from models.diagnostics.checkpoint import ActivationSource, diagnose_checkpoint, run_on_captures
from models.diagnostics.diagnosis import Diagnosis, LayerFigures, diagnose
from models.diagnostics.files import write_diagnosis

__all__ = [
    "ActivationSource",
    "Diagnosis",
    "LayerFigures",
    "diagnose",
    "diagnose_checkpoint",
    "run_on_captures",
    "write_diagnosis",
]
