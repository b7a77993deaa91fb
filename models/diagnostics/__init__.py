"""What trained weights look like from inside, layer by layer."""

from models.diagnostics.checkpoint import ActivationSource, diagnose_checkpoint
from models.diagnostics.diagnosis import Diagnosis, LayerFigures, diagnose
from models.diagnostics.files import write_diagnosis

__all__ = ["ActivationSource", "Diagnosis", "LayerFigures", "diagnose", "diagnose_checkpoint", "write_diagnosis"]
