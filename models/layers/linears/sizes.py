"""Which sizes a structured matrix can have."""

import math

from recon.errors import InputError


def rank_from_share(share: float, in_features: int, out_features: int, *, multiple: int = 1) -> int:
    """A share of the smaller side as a whole number, rounded down to a multiple, but at least that multiple.

    Raises:
        InputError: The share is not above 0 and at most 1, or the smaller side is below the multiple.
    """
    smaller = min(in_features, out_features)
    if not 0 < share <= 1:
        raise InputError(
            f"rank: {share:g} of a {out_features} x {in_features} matrix, expected a share above 0 and at most 1",
            hint="0.25 means a rank of a quarter of the smaller side",
        )
    if smaller < multiple:
        raise InputError(
            f"a {out_features} x {in_features} matrix has a side below its {multiple} blocks", hint="use fewer blocks"
        )
    return max(round(share * smaller) // multiple, 1) * multiple


def check_blocks(blocks: int, in_features: int, out_features: int) -> None:
    """Raise InputError unless both sides split into that many equal blocks."""
    if blocks >= 1 and in_features % blocks == 0 and out_features % blocks == 0:
        return
    usable = [k for k in range(1, 65) if math.gcd(in_features, out_features) % k == 0]
    raise InputError(
        f"{blocks} blocks do not divide both sides of a {out_features} x {in_features} matrix",
        hint=f"numbers of blocks that do: {', '.join(map(str, usable))}",
    )


def nearest_factors(number: int) -> tuple[int, int]:
    """The two factors of a number that are nearest to each other, the smaller first.

    Raises:
        InputError: The number is a prime, or 1.
    """
    smaller = max(k for k in range(1, math.isqrt(number) + 1) if number % k == 0)
    if smaller == 1:
        raise InputError(
            f"a side of {number} has no two factors",
            hint="widths that are multiples of 16 have factors near their root",
        )
    return smaller, number // smaller
