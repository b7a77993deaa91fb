"""The command behind scripts/prepare_re10k, prepare_dl3dv and prepare_colmap: data sets from one form into another."""

import logging
import sys
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from recon.data.captures.capture import CaptureSource
from recon.data.captures.chunk_writer import CHUNK_BYTES, write_chunks
from recon.data.captures.folder_writer import write_folders
from recon.data.captures.manifest import MANIFEST, Manifest, build_manifest, report_missing, write_manifest
from recon.data.captures.open_source import ReadOptions, open_captures
from recon.data.captures.scene_folders import SPLITS, read_lines
from recon.data.captures.subset import Subset
from recon.data.views.index_files import read_evaluation_index
from recon.errors import InputError, ReconError

logger = logging.getLogger(__name__)


def build_parser() -> ArgumentParser:
    """Options of the command."""
    parser = ArgumentParser(
        prog="prepare", description="Convert a data set of captures into chunks or folders, and say what it holds."
    )
    parser.add_argument("--source", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, one folder for each split in it")
    parser.add_argument(
        "--to", type=str, default="chunks", choices=["chunks", "folders", "manifest"], help="what to write"
    )
    parser.add_argument("--format", type=str, default="auto", help="format of the data set")
    parser.add_argument(
        "--splits", type=list[str], help="splits to convert (default: those that are there, else train)"
    )
    parser.add_argument("--read", type=ReadOptions, default=ReadOptions(), help="how the data set is read")
    parser.add_argument("--chunk_megabytes", type=float, default=CHUNK_BYTES / 1e6, help="pictures in one chunk")
    parser.add_argument("--exclude", type=Path, help="text file with captures to leave out, one a line")
    parser.add_argument("--index", type=Path, help="evaluation index; captures of it that are missing are named")
    return parser


def convert(options: Namespace) -> None:
    """Convert all splits.

    Raises:
        ReconError: The source cannot be read, or the target not be written.
    """
    for split in options.splits or _splits(options.source):
        source = open_captures(options.source, options.format, split, options.read)
        if options.exclude is not None:
            source = Subset(source, read_lines(options.exclude))
        if options.index is not None:
            logger.info("%s: %s", split, report_missing(source, read_evaluation_index(options.index).entries))
        manifest = _write(source, options.out / split, options)
        for line in manifest.summary().splitlines():
            logger.info("%s: %s", split, line)


def _write(source: CaptureSource, folder: Path, options: Namespace) -> Manifest:
    if folder.resolve().is_relative_to(options.source.resolve()):
        raise InputError(f"{folder}: lies in the data set that is read", hint="name another folder with --out")
    if options.to == "chunks":
        return write_chunks(source, folder, chunk_bytes=int(options.chunk_megabytes * 1e6))
    if options.to == "folders":
        return write_folders(source, folder)
    manifest = build_manifest(source)
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder / MANIFEST, manifest)
    return manifest


def _splits(root: Path) -> list[str]:
    """Those with a folder or a list; "train" needs neither where there are lists alone."""
    found = [split for split in SPLITS if (root / split).is_dir() or (root / f"{split}.txt").is_file()]
    has_folder = any((root / split).is_dir() for split in SPLITS)
    return found if has_folder or "train" in found else ["train", *found]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = build_parser()
    options = parser.instantiate(parser.parse_args(arguments))
    try:
        convert(options)
    except ReconError as error:
        logger.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
