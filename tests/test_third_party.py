"""THIRD_PARTY.md names what is used, in the version and with the licence that it has."""

import json
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "THIRD_PARTY.md").read_text()
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "list_licenses"))
# Licences under which a library may be imported by code that is passed on under Apache-2.0 without further ado.
PERMISSIVE = {
    *("MIT", "MIT-CMU", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Zlib", "CC0-1.0", "BSL-1.0"),
    *("Apache-2.0 WITH LLVM-exception", "ISC", "PSF-2.0"),
}


def test_table_of_packages_is_up_to_date() -> None:
    found = DOCUMENT.split(SCRIPT["BEGIN"])[1].split(SCRIPT["END"])[0].strip()
    assert found == SCRIPT["table"]().strip(), "run .venv/bin/python scripts/list_licenses --write"


def test_base_and_extras_are_permissive() -> None:
    groups = {name: wanted for name, wanted in SCRIPT["needs"]().items() if wanted != "dev"}
    assert len(groups) > 15
    for name in groups:
        assert set(re.split(r" AND | OR ", SCRIPT["licence"](name))) <= PERMISSIVE, name


def test_a_package_without_licence_stops_the_script() -> None:
    with pytest.raises(SystemExit, match="no-such-package is not installed"):
        SCRIPT["licence"]("no-such-package")


def test_javascript_of_the_viewer_is_named_with_its_licence() -> None:
    vendor = ROOT / "app" / "viewer" / "static" / "vendor"
    rows = {m[1]: m[0] for m in re.finditer(r"^\| .*static/vendor/(\w+)`.*$", DOCUMENT, re.MULTILINE)}
    assert rows.keys() == {path.name for path in vendor.iterdir() if path.is_dir()}
    for package in json.loads((vendor / "VENDOR.json").read_text())["packages"]:
        assert package["license"] in rows[package["name"].split("/")[-1]]


def test_every_shipped_weight_states_a_licence() -> None:
    cards = list((ROOT / "models" / "weights").glob("*/MODEL_CARD.md"))
    assert cards
    assert all(re.search(r"^license: \S+", card.read_text(), re.MULTILINE) for card in cards)
