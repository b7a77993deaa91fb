"""The command behind scripts/prepare_rooms: fetch furniture, paint textures, make scenes."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from jsonargparse import ArgumentParser

from recon.data.rooms.furniture import convert_catalogues
from recon.data.rooms.generate import RoomsConfig, generate
from recon.data.rooms.library import TEXTURE_VERSION
from recon.errors import ReconError, ResourceError

logger = logging.getLogger(__name__)

PACKAGE = "sweethome3d-furniture"


def build_parser() -> ArgumentParser:
    """Options of the command."""
    parser = ArgumentParser(prog="prepare_rooms", description="Make synthetic training scenes in a cache folder.")
    parser.add_argument("--out", type=Path, default=Path(".cache/rooms"), help="folder of the scenes")
    parser.add_argument("--assets", type=Path, help="folder of textures and furniture (default: the parent of OUT)")
    parser.add_argument("--scenes", type=int, default=3000, help="number of training scenes")
    parser.add_argument("--val", type=int, default=64, help="number of held-out scenes, made first")
    parser.add_argument("--processes", type=int, default=2, help="scenes made at the same time")
    parser.add_argument("--views", type=int, default=10, help="pictures of each scene along its path")
    parser.add_argument("--size", type=int, default=256, help="edge of the pictures in pixels")
    parser.add_argument("--deb", type=Path, help=f"a downloaded {PACKAGE} package; fetched with apt-get otherwise")
    parser.add_argument("--no_furniture", action="store_true", help="procedural furniture only, needs no package")
    return parser


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ResourceError(
            f"`{' '.join(command)}` failed: {getattr(error, 'stderr', None) or error}",
            hint=f"give the package {PACKAGE} with --deb FILE, or use --no_furniture",
        ) from error


def prepare_furniture(folder: Path, deb: Path | None) -> None:
    """Fetch, unpack and convert the furniture catalogues unless `folder` holds them.

    Raises:
        ResourceError: The package cannot be fetched or unpacked here.
    """
    if (folder / "catalogue.json").exists():
        return
    package = (folder / "package").resolve()
    package.mkdir(parents=True, exist_ok=True)
    if deb is None:
        _run(["apt-get", "download", PACKAGE], package)
        deb = max(package.glob(f"{PACKAGE}_*.deb"))
    _run(["dpkg-deb", "-x", str(deb.resolve()), "unpacked"], package)
    convert_catalogues(sorted((package / "unpacked").rglob("*.sh3f")), folder)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options = build_parser().parse_args(arguments)
    assets = options.assets or options.out.parent
    furniture = None if options.no_furniture else assets / "furniture"
    try:
        if furniture is not None:
            prepare_furniture(furniture, options.deb)
        textures = assets / f"textures-{TEXTURE_VERSION}"
        config = RoomsConfig(options.out, textures, furniture, num_views=options.views, size=options.size)
        generate(config, "val", options.val, options.processes)
        generate(config, "train", options.scenes, options.processes)
    except ReconError as error:
        logger.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
