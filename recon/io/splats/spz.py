"""3D Gaussians as SPZ, the compressed file of Niantic Labs (github.com/nianticlabs/spz).

Written is version 3, read are 2 to 4. After the header (see `recon.io.splats.spz_streams`) come tables, one after the
other:

- centres, 3 x 24-bit fixed point;
- opacities, a byte;
- colours, 3 bytes, 255 (0.5 + 0.15 c) for the harmonic coefficient c of degree 0;
- scales, 3 bytes, 16 (10 + ln s);
- rotations, the three smaller components of (x, y, z, w): sign and 9 bits of magnitude up to 1/sqrt(2) each, 2 bits for
  the index of the one left out; in version 2 three bytes for (x, y, z), w being positive;
- higher harmonics, 3 bytes a coefficient (red, green, blue), 128 (1 + c).

Axes inside the file are right, up, backward; those of the PLY are taken for right, down, forward, as SPZ's own
converter and PlayCanvas's do. Writing turns the world by half a turn about x, reading turns it back.
"""

import gzip
from pathlib import Path

import numpy as np
import torch

from recon.errors import ExportError
from recon.geometry.half_turn import turned_about_x
from recon.io.atomic import atomic_write
from recon.io.checked import check_count, writable
from recon.io.file_bytes import file_size, read_bytes
from recon.io.limits import Limits
from recon.io.splats.spz_rotations import pack_smallest_three, unpack_first_three, unpack_smallest_three
from recon.io.splats.spz_streams import HEADER, MAGIC, SpzHeader, open_spz
from recon.types import Gaussians

VERSION = 3
MAX_FRACTIONAL_BITS = 20
COLOR_SCALE = 0.15
LOG_SCALE_OFFSET, LOG_SCALE_STEPS = 10.0, 16.0
GZIP_LEVEL = 6


def write_spz(path: Path, gaussians: Gaussians) -> None:
    """Write Gaussians, version 3. All values are quantised, see above; coefficients leave -1..1 clamped.

    Centres keep as many fractional bits as the largest coordinate leaves of 24, at most 20. No Gaussians at all give a
    valid file.

    Raises:
        GeometryError: The Gaussians are not valid.
        ExportError: A coordinate is beyond 2^23, or the file cannot be written.
    """
    g = turned_about_x(writable(path, gaussians))
    largest = float(g.means.abs().max()) if len(g) else 0.0
    bits = next((b for b in range(MAX_FRACTIONAL_BITS, -1, -1) if largest * 2**b <= 2**23 - 1), None)
    if bits is None:
        raise ExportError(f"{path}: the coordinate {largest:g} does not fit SPZ", hint="scale the scene down")
    header = HEADER.pack(MAGIC, VERSION, len(g), g.sh_degree, bits, 0, 0)
    fixed = np.round(g.means.double().numpy() * 2**bits).astype("<i4")
    tables = [
        fixed.view(np.uint8).reshape(-1, 3, 4)[..., :3],
        _bytes(255 * g.opacities),
        _bytes(255 * (0.5 + COLOR_SCALE * g.sh[:, 0])),
        _bytes(LOG_SCALE_STEPS * (LOG_SCALE_OFFSET + g.scales.log())),
        pack_smallest_three(g.quats.numpy()[:, [1, 2, 3, 0]]),
        _bytes(128 * (1 + g.sh[:, 1:])),
    ]
    with (
        atomic_write(path) as temporary,
        temporary.open("wb") as file,
        # Neither name nor time goes into the file, so that equal scenes give equal files.
        gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as stream,
    ):
        stream.write(header)
        for table in tables:
            stream.write(np.ascontiguousarray(table).data)


def decode_spz(path: Path, limits: Limits) -> Gaussians:
    """Read Gaussians; their values are not checked.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not SPZ of version 2 to 4, is damaged, or holds extensions or harmonics above degree 3.
        LimitError: It holds more Gaussians than `limits` allow.
    """
    header, stream = open_spz(path, read_bytes(path, 0, file_size(path)))
    num = header.num_gaussians
    check_count(path, num, limits)
    tables = {
        name: np.frombuffer(stream.take(num * width), np.uint8).reshape(num, width)
        for name, width in header.columns.items()
    }
    stream.end()
    quats = unpack_first_three if header.version == 2 else unpack_smallest_three
    dc = (tables["color"].astype(np.float32) / 255 - 0.5) / COLOR_SCALE
    higher = tables["sh"].astype(np.float32) / 128 - 1
    log_scales = tables["scale"].astype(np.float32) / LOG_SCALE_STEPS - LOG_SCALE_OFFSET
    gaussians = Gaussians(
        means=torch.from_numpy(_fixed_point(tables["mean"], header.fractional_bits)),
        scales=torch.from_numpy(log_scales).exp(),
        quats=torch.from_numpy(quats(tables["quat"])[:, [3, 0, 1, 2]]),
        opacities=torch.from_numpy(tables["opacity"][:, 0].astype(np.float32) / 255),
        sh=torch.from_numpy(
            np.concatenate([dc, higher], axis=1).reshape(num, dc.shape[1] // 3 + higher.shape[1] // 3, 3)
        ),
    )
    return turned_about_x(gaussians)


def spz_header(path: Path) -> SpzHeader:
    """The header alone.

    Raises:
        InputError: The file cannot be read.
        FormatError: It is not SPZ of version 2 to 4.
    """
    return open_spz(path, read_bytes(path, 0, file_size(path)))[0]


def _fixed_point(table: np.ndarray, fractional_bits: int) -> np.ndarray:
    words = np.zeros((len(table), 3, 4), np.uint8)
    words[..., 1:] = table.reshape(-1, 3, 3)
    # In the upper three bytes, so that the shift back extends the sign.
    return ((words.view("<i4")[..., 0] >> 8) / 2.0**fractional_bits).astype(np.float32)


def _bytes(values: torch.Tensor) -> np.ndarray:
    return values.round().clamp(0, 255).byte().numpy()
