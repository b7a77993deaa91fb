"""The speed figures as Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.commands.tables import human_size


def speed_markdown(figures: dict[str, Any]) -> str:
    """Where it ran, one table of sizes for each part, one of times, and what was to be met."""
    parts = {part: _of_part(figures["layers"], part) for part in ("feed_forward", "attention")}
    titles = {"feed_forward": "Feed-forward layers", "attention": "Attention"}
    blocks = [_heading(figures)]
    for part, rows in parts.items():
        if rows:
            blocks += [f"### {titles[part]}", _sizes(rows), _times(rows)]
    blocks += [_failures(figures["layers"]), _targets(figures["targets"])]
    return "\n\n".join(block for block in blocks if block) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def millions(number: float) -> str:
    """A count, with three digits at least."""
    return f"{number / 1e6:,.0f} M" if number >= 1e8 else f"{number / 1e6:.3g} M"


def _heading(figures: dict[str, Any]) -> str:
    machine, scale, options = figures["machine"], figures["scale"], figures["options"]
    tokens = scale["views"] * scale["height"] * scale["width"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, torch {machine['torch']} ({machine['capability']}). "
        f"{tokens} tokens ({scale['views']} views of {scale['height']} x {scale['width']}), width {scale['dim']}, "
        f"heads of {scale['head_dim']}. Load average at the start {machine['load_average']:.1f}: "
        f"**{figures['said']}**. Fastest and, in brackets, median of {options['rounds']} rounds in which every layer "
        "has its turn; x: how many times faster than the first row in float32, which runs in the same rounds. Network: "
        "how many times faster the published iLRM could become at most (Amdahl), by float32 forward passes; attention, "
        "whose cost grows with the square of the tokens, by its multiply-adds at 1,024 tokens a view."
    )


def _of_part(layers: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: row for name, row in layers.items() if row["part"] == part}


def _sizes(rows: dict[str, Any]) -> str:
    base = next(iter(rows.values()))["sizes"]["macs_eval"]
    header = ["layer", "parameters", "stored", "MACs", "of the first", "MACs in training", "counted", "bf16 drift",
              "peak memory forward", "and backward", "network, 2 / 4 / 8 / 16 views"]  # fmt: skip
    return table(header, [_size_row(name, row, base) for name, row in rows.items()])


def _size_row(name: str, row: dict[str, Any], base: int) -> list[str]:
    sizes, memory, bounds = row["sizes"], row["memory_bytes"], row.get("network_bound")
    return [
        f"`{name}`",
        millions(sizes["parameters"]),
        human_size(sizes["stored_bytes"]),
        millions(sizes["macs_eval"]),
        f"{sizes['macs_eval'] / base:.2f}",
        millions(sizes["macs_train"]),
        "agrees" if sizes["agree"] else sizes["differ"],
        f"{row['bfloat16_drift']:.1%}",
        *(human_size(memory[direction]) if memory else "-" for direction in ("forward", "forward_backward")),
        " / ".join(f"{value:.2f}" for value in bounds.values()) if bounds else "-",
    ]


def _times(rows: dict[str, Any]) -> str:
    columns = sorted(
        {
            (precision, int(threads), direction)
            for row in rows.values()
            for precision, by_threads in row["times"].items()
            for threads, of in by_threads.items()
            for direction in of
        },
        key=lambda key: (key[2], ("fp32", "bf16", "int8").index(key[0]), key[1]),
    )
    words = {"forward": "forward", "forward_backward": "forward and backward"}
    header = ["ms", *(f"{words[d]}, {p}, {t} thread{'s' * (t > 1)}" for p, t, d in columns)]
    return table(header, [[f"`{name}`", *(_time(row, *key) for key in columns)] for name, row in rows.items()])


def _time(row: dict[str, Any], precision: str, threads: int, direction: str) -> str:
    found = row["times"].get(precision, {}).get(str(threads), {}).get(direction)
    if found is None:
        return "-"
    return f"{found['min_ms']:.1f} ({found['median_ms']:.1f}) x{found['float32_ratio']:.2f}"


def _failures(layers: dict[str, Any]) -> str:
    failed = {name: row["failed"] for name, row in layers.items() if row["failed"]}
    if not failed:
        gates = next(iter(layers.values()))["gates"] if layers else {}
        return f"All layers passed before they were timed: {', '.join(gates)}."
    return "Not timed: " + "; ".join(f"`{name}` fails {', '.join(gates)}" for name, gates in failed.items()) + "."


def _targets(targets: list[dict[str, Any]]) -> str:
    if not targets:
        return ""
    rows = [
        [
            f"`{t['layer']}` {t['precision']}",
            f"x{t['least']:.1f}",
            f"x{t['ratio']:.2f}",
            "yes" if t["met"] else "**no**",
        ]
        for t in targets
    ]
    return table(["forward, 1 thread, against dense fp32", "to be at least", "found", "met"], rows)
