"""Writes a table as a CSV file that is safe to open in a spreadsheet.

A spreadsheet runs text as a formula if it starts with one of a few characters. Such text, in cells and in column names,
gets an apostrophe in front (OWASP, "CSV Injection").
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lib.messages import utf8_safe

if TYPE_CHECKING:
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The table as UTF-8 CSV without its index. Missing values are empty cells, booleans are "yes" and "no"."""
    import pandas as pd

    rows = [[_cell(value) for value in row] for row in frame.astype(object).itertuples(index=False, name=None)]
    cells = pd.DataFrame(rows, columns=[_cell(name) for name in frame.columns], dtype=object)
    return cells.to_csv(index=False, lineterminator="\n").encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return utf8_safe(f"'{value}" if value.startswith(FORMULA_STARTS) else value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value
