import multiprocessing

import pytest

from recon.errors import InputError, ReconError, UnusableCaptureError


def _fail(error: ReconError) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [InputError("a folder", hint="name another"), UnusableCaptureError("too few frames", "c: 1 frame", hint="skip it")],
)
def test_errors_come_whole_out_of_other_processes(error: ReconError) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool, pytest.raises(type(error)) as caught:
        pool.apply(_fail, (error,))
    assert (str(caught.value), vars(caught.value)) == (str(error), vars(error))
