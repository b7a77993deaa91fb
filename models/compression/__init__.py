"""Trained networks made smaller: structured matrices, fewer bits, fewer entries."""

from models.compression.converting import Conversion, convert_linears
from models.compression.inputs import record_input_rms
from models.compression.int8 import Int8Linear, quantize_dynamic_int8
from models.compression.linears import block_linears
from models.compression.semi_structured import keep_two_of_four, sparsify_two_of_four
from models.compression.sizing import config_within
from models.compression.spectrum import keep_magnitude, keep_spectrum

__all__ = [
    "Conversion",
    "Int8Linear",
    "block_linears",
    "config_within",
    "convert_linears",
    "keep_magnitude",
    "keep_spectrum",
    "keep_two_of_four",
    "quantize_dynamic_int8",
    "record_input_rms",
    "sparsify_two_of_four",
]
