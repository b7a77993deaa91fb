"""The exponential of the kernels: a polynomial that the compiler can vectorise.

An opacity above 1/255 is 2^(8 y) with y in [-1, 0]; 2^y is fitted there by a polynomial and raised to the eighth power
by three squarings. No bits are tampered with, so every instruction set vectorises it.
"""

import math
from typing import no_type_check

import numpy as np
from numba import types
from numba.extending import overload
from numpy.polynomial import chebyshev

# y = EXPONENT_SCALE * ln(alpha)
EXPONENT_SCALE = math.log2(math.e) / 8
MIN_ALPHA = 1 / 255
MIN_EXPONENT = EXPONENT_SCALE * math.log(MIN_ALPHA)


def _fit(degree: int, dtype: type) -> tuple:
    """Coefficients, constant first, of the interpolant of 2^y at the Chebyshev points of [-1, 0]."""
    series = chebyshev.Chebyshev.interpolate(np.exp2, degree, domain=(-1, 0))
    power = series.convert(kind=np.polynomial.Polynomial, domain=(-1, 1))
    return tuple(dtype(c) for c in power.coef)


_F5 = _fit(5, np.float32)
_F12 = _fit(12, np.float64)
A0, A1, A2, A3, A4, A5 = _F5
B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12 = _F12


def exp2_times_8(y):
    """2^(8 y) for y in [-1, 0]; relative error below 1e-6 in single and 1e-14 in double precision."""
    raise NotImplementedError("only called from kernels")


@overload(exp2_times_8)
def _exp2_times_8(y):
    if getattr(y, "scalar", y) == types.float32:

        @no_type_check
        def single(y):
            p = ((((A5 * y + A4) * y + A3) * y + A2) * y + A1) * y + A0
            p = p * p
            p = p * p
            return p * p

        return single

    @no_type_check
    def double(y):
        p = ((((B12 * y + B11) * y + B10) * y + B9) * y + B8) * y + B7
        p = (((((((p * y + B6) * y + B5) * y + B4) * y + B3) * y + B2) * y + B1) * y) + B0
        p = p * p
        p = p * p
        return p * p

    return double
