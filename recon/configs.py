"""Where the YAML presets are: `configs/` of a checkout, or the copy inside an installed wheel."""

from pathlib import Path

from recon.errors import InputError

PACKAGE = Path(__file__).parent
SUFFIX = ".yaml"


def config_root() -> Path:
    """Folder of the presets; found from any working folder.

    Raises:
        InputError: The installation holds no presets.
    """
    packed, checkout = PACKAGE / "_configs", PACKAGE.parent / "configs"
    if packed.is_dir():
        return packed
    if (PACKAGE.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    raise InputError(f"no presets in {packed} or {checkout}", hint="install the package again")


def config_names() -> list[str]:
    """Names of all presets, as `find_config` takes them."""
    root = config_root()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob(f"*{SUFFIX}"))


def find_config(name: str | Path) -> Path:
    """The YAML file of that name.

    Args:
        name: A preset such as "experiment/rooms_nano", or the path of a file.

    Raises:
        InputError: There is neither such a file nor such a preset; the hint lists the presets.
    """
    if Path(name).is_file():
        return Path(name).resolve()
    preset = str(name).removesuffix(SUFFIX)
    names = config_names()
    if preset in names:
        return config_root() / f"{preset}{SUFFIX}"
    raise InputError(f"no config {str(name)!r}", hint=f"give a file, or one of {', '.join(names)}")
