"""What furniture catalogues say of their models, and what each model is used for."""

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

# Catalogues whose licence is not CC BY 3.0.
LICENCES = {"BlendSwap-CC-0": "CC0-1.0"}

Range = tuple[float, float]


@dataclass(frozen=True)
class Use:
    """Which models serve a use: a pattern of names and ranges of width, depth and height in metres."""

    pattern: str
    width: Range
    depth: Range
    height: Range


_CHAIR = r"^(?!.*(baby|bean|beach|deck|wheel|child|ryokan)).*chair|class seat"
_CABINET = r"cabinet|chest|drawers|dresser|sideboard|buffet|^box$|vanity|trunck|dressing"
_PLANT = r"plant|ficus|bamboo|yucca|palm|bonsai|orchid|cactus|lily|tulips|flowers|spath"
_GARDEN = r"bench|deck chair|teck|teak|rattan|flower box|plant box|barbecue|umbrella|stone lantern|pool lounge"
_SHOWPIECE = r"piano$|fireplace|aquarium|treadmill|clothes (rack|horse)|dart"

USES: dict[str, Use] = {
    "sofa": Use(r"sofa|couch", (1.3, 3.6), (0.6, 2.2), (0.5, 1.2)),
    "armchair": Use(r"armchair|puff", (0.5, 1.2), (0.5, 1.2), (0.5, 1.2)),
    "chair": Use(_CHAIR, (0.35, 0.8), (0.35, 0.8), (0.7, 1.3)),
    "stool": Use(r"stool|bar chair", (0.25, 0.6), (0.25, 0.65), (0.4, 1.15)),
    "table": Use(r"^(?!.*(tennis|pool|football|bedside|coffee|cloth)).*table", (0.8, 2.6), (0.6, 1.4), (0.6, 0.95)),
    "coffee_table": Use(r"coffee table|rattan table|^table$", (0.5, 1.6), (0.4, 1.0), (0.3, 0.56)),
    "desk": Use(r"desk(?!top)", (0.9, 2.4), (0.5, 1.3), (0.65, 1.9)),
    "bed": Use(r"\bbed\b|futon$", (0.8, 2.6), (1.8, 2.6), (0.3, 2.0)),
    "bedside": Use(r"bedside|night ?stand", (0.3, 0.8), (0.3, 0.7), (0.35, 0.8)),
    "wardrobe": Use(r"wardrobe|cupboard|locker", (0.7, 2.6), (0.35, 0.9), (1.4, 2.6)),
    "bookcase": Use(r"bookcase|shelves", (0.4, 3.0), (0.2, 0.6), (0.7, 2.3)),
    "cabinet": Use(_CABINET, (0.5, 2.2), (0.3, 0.8), (0.4, 1.8)),
    "tv_stand": Use(r"tv stand|television cabinet|tv cabinet", (0.8, 2.4), (0.3, 0.8), (0.3, 1.9)),
    "tv": Use(r"\btv\b|television$", (0.5, 1.8), (0.02, 0.6), (0.4, 1.2)),
    "fridge": Use(r"fridge|refrigerator", (0.5, 1.2), (0.5, 1.1), (1.1, 2.3)),
    "plant": Use(_PLANT, (0.1, 1.3), (0.1, 1.3), (0.2, 2.1)),
    "toilet": Use(r"toilets? unit|toilet$|bidet", (0.3, 0.6), (0.4, 0.9), (0.3, 1.0)),
    "basin": Use(r"washbasin|vanity|lavatory", (0.4, 2.0), (0.3, 0.8), (0.5, 2.3)),
    "bath": Use(r"bath$|bathtub|shower stall|shower cabin", (0.7, 2.0), (0.6, 1.9), (0.4, 2.3)),
    "piano": Use(_SHOWPIECE, (0.6, 2.2), (0.3, 1.8), (0.4, 2.6)),
    "washer": Use(r"washing machine|dryer|dishwasher", (0.5, 0.7), (0.5, 0.7), (0.7, 1.0)),
    "stove": Use(r"stove|oven|cooker", (0.5, 1.1), (0.45, 0.8), (0.7, 1.2)),
    "garden": Use(_GARDEN, (0.3, 3.0), (0.2, 3.0), (0.3, 2.8)),
}
NEVER_ON_TABLES = (
    r"shoes|bootie|slippers|sneakers|mocassin|sock|glove|potty|toilet|hammer|saw|grinder|drill|shovel|plug"
    r"|switch"
)
SMALL_CATEGORIES = {"Kitchen", "Living room", "Office", "Bathroom", "Bedroom", "Miscellaneous"}


@dataclass(frozen=True)
class CatalogueEntry:
    """What the catalogue says of a model; lengths in metres."""

    key: str
    name: str
    category: str
    width: float
    depth: float
    height: float
    elevation: float
    creator: str
    licence: str


def read_properties(text: str, catalogue: str) -> list[tuple[CatalogueEntry, str, np.ndarray]]:
    """Entries of a catalogue's properties file with the model's path and its rotation."""
    rows: dict[int, dict[str, str]] = defaultdict(dict)
    for line in text.splitlines():
        match = re.match(r"^(\w+)#(\d+)\s*=\s*(.*)$", line.strip())
        if match:
            rows[int(match[2])][match[1]] = match[3]
    found = []
    for number, row in sorted(rows.items()):
        size = [float(row[k]) / 100 for k in ("width", "depth", "height")]
        entry = CatalogueEntry(
            key=f"{catalogue}-{number:03d}",
            name=row["name"],
            category=row["category"],
            width=size[0],
            depth=size[1],
            height=size[2],
            elevation=float(row.get("elevation", 0)) / 100,
            creator=row.get("creator", ""),
            licence=LICENCES.get(catalogue, "CC-BY-3.0"),
        )
        turn = np.array([float(x) for x in row.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()]).reshape(3, 3)
        found.append((entry, row["model"].lstrip("/"), turn))
    return found


def uses_of(entry: CatalogueEntry) -> list[str]:
    """All uses whose pattern and sizes an entry matches."""
    found = []
    sizes = (entry.width, entry.depth, entry.height)
    for name, use in USES.items():
        ranges = (use.width, use.depth, use.height)
        fits = all(low <= size <= high for size, (low, high) in zip(sizes, ranges, strict=True))
        if fits and entry.elevation < 0.6 and re.search(use.pattern, entry.name.lower()):
            found.append(name)
    largest = max(sizes)
    small = 0.08 < largest < 0.45 and entry.height > 0.035 and not entry.elevation
    if small and entry.category in SMALL_CATEGORIES and not re.search(NEVER_ON_TABLES, entry.name.lower()):
        found.append("small")
    return found
