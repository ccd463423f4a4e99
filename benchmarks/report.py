"""Tables of results: on the terminal, as JSON, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")


@dataclass
class Table:
    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)

    def __str__(self) -> str:
        """As aligned Markdown, which is as good to read on a terminal."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row))
        cells = [columns] + [[_cell(c, row.get(c)) for c in columns] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [_line(row, widths) for row in cells]
        rule = "|".join(["-" * (widths[0] + 2)] + ["-" * (width + 1) + ":" for width in widths[1:]])
        return "\n".join([f"## {self.title}", "", lines[0], f"|{rule}|", *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return f"| {' | '.join(cells)} |"


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}x" if column.startswith("ratio") else f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def write(name: str, database: str, facts: Mapping[str, Any], tables: Sequence[Table]) -> None:
    """Keep the results beside the code."""
    RESULTS.mkdir(exist_ok=True)
    found = {**facts, "tables": [{"title": t.title, "rows": t.rows} for t in tables]}
    file = RESULTS / f"{name}-{database}"
    file.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")
    said = ", ".join(f"{key} {value}" for key, value in facts.items())
    texts = [f"# {name} on {database}", f"{said}.", *map(str, tables)]
    file.with_suffix(".md").write_text("\n\n".join(texts) + "\n")
