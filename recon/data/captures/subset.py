"""Some captures of a data set."""

import logging
from collections.abc import Collection

from recon.data.captures.capture import Capture, CaptureSource
from recon.errors import InputError

logger = logging.getLogger(__name__)


class Subset:
    """The captures of a source but for some, in the same order; e.g. those of DL3DV that are no benchmark.

    Args:
        source: All of them.
        without: Names to leave out; those that the source does not have are passed over.

    Raises:
        InputError: None is left.
    """

    def __init__(self, source: CaptureSource, without: Collection[str]):
        dropped = frozenset(without)
        self._source = source
        self._indices = [i for i, name in enumerate(source.names) if name not in dropped]
        logger.info("%d of %d captures are left out by name", len(source) - len(self), len(source))
        if not self._indices:
            raise InputError(f"all {len(source)} captures are left out by name")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the captures that are left."""
        names = self._source.names
        return tuple(names[i] for i in self._indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Capture:
        """As the source."""
        return self._source[self._indices[index]]
