"""The JavaScript that ships is that of the packages it names, with their licences, and needs no other machine."""

import hashlib
import json
import re
from pathlib import Path

from app.viewer.site import STATIC

VENDOR = STATIC / "vendor"
LISTED = json.loads((VENDOR / "VENDOR.json").read_text())


def targets() -> list[str]:
    return [target for package in LISTED["packages"] for target in package["files"].values()]


def test_every_file_is_as_listed_and_no_other_is_there() -> None:
    there = {p.relative_to(VENDOR).as_posix() for p in VENDOR.rglob("*") if p.is_file()} - {"VENDOR.json"}
    assert there == set(targets()) == set(LISTED["sha256"])
    found = {name: hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() for name in there}
    assert found == LISTED["sha256"]


def test_every_package_is_pinned_and_permissive() -> None:
    for package in LISTED["packages"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
        assert package["license"] == "MIT"
        (text,) = [VENDOR / t for t in package["files"].values() if t.endswith("LICENSE")]
        assert "Permission is hereby granted, free of charge" in text.read_text()


def test_the_page_names_only_files_that_ship() -> None:
    page = (STATIC / "index.html").read_text()
    (imports,) = re.findall(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    named = list(json.loads(imports)["imports"].values())
    named += re.findall(r'(?:src|href)="([^"]+)"', page)
    paths = [Path(STATIC / name) for name in named if not name.startswith("data:")]
    assert len(paths) >= 5
    assert all(path.exists() for path in paths)
    for file in (STATIC / "index.html", STATIC / "viewer.js", STATIC / "viewer.css"):
        assert not re.search(r"https?://", file.read_text())
