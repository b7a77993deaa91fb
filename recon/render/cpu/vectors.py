"""Vectors of three numbers as tuples; after inlining they live in registers."""

from recon.render.cpu.jit import inlined


@inlined
def dot(a, b):
    """Inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def scaled(s, a):
    """Vector a, s times as long."""
    return s * a[0], s * a[1], s * a[2]


@inlined
def times(a, b):
    """Product entry by entry."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2]


@inlined
def plus(a, b):
    """Sum."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@inlined
def combine(s, a, t, b):
    """Sum of s a and t b."""
    return s * a[0] + t * b[0], s * a[1] + t * b[1], s * a[2] + t * b[2]


@inlined
def row_times_matrix(v, rows):
    """v^T M for a matrix given by its rows."""
    return plus(plus(scaled(v[0], rows[0]), scaled(v[1], rows[1])), scaled(v[2], rows[2]))


@inlined
def load(array, row):
    """The first three entries of a row."""
    return array[row, 0], array[row, 1], array[row, 2]
