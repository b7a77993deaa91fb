"""Numbers of views that a sample may have."""

from recon.errors import InputError, UnusableCaptureError


def check_counts(num_context: tuple[int, ...], num_targets: int) -> None:
    """Raise InputError unless all numbers of context views are at least 2 and there is a target."""
    if not num_context or min(num_context) < 2:
        raise InputError(f"num_context is {num_context}, expected numbers of at least 2")
    if num_targets < 1:
        raise InputError(f"num_targets is {num_targets}, expected at least 1")


def require_frames(found: int, needed: int, purpose: str) -> None:
    """Raise UnusableCaptureError if a capture has fewer frames than needed."""
    if found < needed:
        raise UnusableCaptureError(
            "too few frames",
            f"{found} frames, expected at least {needed} for {purpose}",
            hint="lower the gaps or the numbers of views of the view sampler, or use captures with more frames",
        )
