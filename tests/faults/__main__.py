"""Tries all faults and writes docs/faults.md. With names (`python -m tests.faults killed`), only prints their rows."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import pytest

from tests.faults.run import ALL, MEMORY_MB, try_fault
from tests.faults.table import document, row

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


def main(names: list[str]) -> int:
    """Try the faults; return 1 if one lost something, showed no plain words, or filled the memory."""
    logging.disable(logging.WARNING)  # the app warns in its log that Redis is away, which is what we do to it
    chosen = [fault for fault in ALL if not names or fault.name in names]
    rows, failed = [], []
    for fault in chosen:
        began = time.monotonic()
        try:
            noted = {kind: try_fault(fault, kind) for kind in fault.kinds}
        except pytest.skip.Exception as missing:
            print(f"{fault.name} cannot be tried: {missing}")
            failed.append(fault.name)
            continue
        rows.append(row(fault, noted))
        most = max(notes.grown_mb for notes in noted.values())
        if any(notes.lost or notes.broken for notes in noted.values()) or (fault.bounded and most > MEMORY_MB):
            failed.append(fault.name)
        print(f"{time.monotonic() - began:5.1f} s  {most:5.0f} MB  {fault.name}", flush=True)
    if names:
        print(*rows, sep="")
    else:
        DOCUMENT.write_text(document(rows), encoding="utf-8")
    print(f"failed: {', '.join(failed)}" if failed else "nothing acknowledged was lost")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
