"""The command behind scripts/prepare_re10k, prepare_dl3dv and prepare_colmap: data sets from one form into another."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from recon.data.captures.capture import CaptureSource
from recon.data.captures.chunk_writer import CHUNK_BYTES, write_chunks
from recon.data.captures.folder_writer import write_folders
from recon.data.captures.manifest import (
    MANIFEST,
    MISSING,
    Manifest,
    build_manifest,
    report_missing,
    write_manifest,
    write_missing,
)
from recon.data.captures.nerfstudio import Nerfstudio
from recon.data.captures.open_source import ReadOptions, open_captures
from recon.data.captures.picture_choice import PictureChoice
from recon.data.captures.re10k_chunks import Re10kChunks
from recon.data.captures.scene_folders import SPLITS, names_listed_in
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
    parser.add_argument(
        "--index", type=Path, help=f"evaluation index; captures of it that are missing are written to {MISSING}"
    )
    return parser


def convert(options: Namespace) -> None:
    """Convert all splits.

    Raises:
        ReconError: The source cannot be read, or the target not be written.
    """
    splits = options.splits or _splits(options.source)
    if unknown := [split for split in splits if split not in SPLITS]:
        raise InputError(f"the split {unknown[0]!r} was asked for, expected some of {', '.join(SPLITS)}")
    sources = {split: open_captures(options.source, options.format, split, options.read) for split in splits}
    choices = {
        split: source.choice for split, source in sources.items() if isinstance(source, Nerfstudio | Re10kChunks)
    }
    if options.exclude is not None:
        sources = _without(sources, options.exclude)
    index = None if options.index is None else read_evaluation_index(options.index)
    for split, source in sources.items():
        folder = options.out / split
        report = None if index is None else report_missing(source, index.entries)
        if report is not None:
            logger.info("%s: %s", split, report)
        manifest = _write(source, folder, options, choices.get(split))
        if report is not None:
            write_missing(folder / MISSING, report)
        for line in manifest.summary().splitlines():
            logger.info("%s: %s", split, line)


def _without(sources: Mapping[str, CaptureSource], exclude: Path) -> dict[str, CaptureSource]:
    """The sources but for the captures that a list names.

    Raises:
        InputError: None of them has any: the list would keep nothing out.
    """
    names = set(names_listed_in(exclude))
    unknown = sorted(names.difference(*(source.names for source in sources.values())))
    if unknown:
        shown = ", ".join(unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        found = f"{exclude}: {len(unknown)} of {len(names)} names are of no capture that is converted: {shown}"
        if len(unknown) == len(names):
            some = next(iter(sources.values())).names[0]
            raise InputError(found, hint=f"captures here are named like {some!r}; leave the list out if none is here")
        logger.warning("%s", found)
    return {split: Subset(source, names) for split, source in sources.items()}


def _write(source: CaptureSource, folder: Path, options: Namespace, choice: PictureChoice | None) -> Manifest:
    if folder.resolve().is_relative_to(options.source.resolve()):
        raise InputError(f"{folder}: lies in the data set that is read", hint="name another folder with --out")
    if options.to == "chunks":
        return write_chunks(source, folder, chunk_bytes=int(options.chunk_megabytes * 1e6), choice=choice)
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
