"""No fault loses what was acknowledged, shows anything but plain words, or fills the memory; the table names all."""

from __future__ import annotations

import pytest

from tests.faults.__main__ import DOCUMENT
from tests.faults.fault import Fault
from tests.faults.run import ALL, MEMORY_MB, try_fault
from tests.faults.table import INTRODUCTION, quoted, recovery

TRIED = [
    pytest.param(fault, kind, id=f"{fault.name}-{kind}", marks=[pytest.mark.slow] if fault.slow else [])
    for fault in ALL
    for kind in fault.kinds
]


@pytest.mark.parametrize(("fault", "kind"), TRIED)
def test_a_fault_loses_nothing_that_was_acknowledged_and_is_told_in_plain_words(fault: Fault, kind: str) -> None:
    notes = try_fault(fault, kind)
    assert (notes.lost, notes.broken) == ([], [])
    assert notes.accepted[-1] == "last"
    assert notes.refused == []
    if fault.bounded:
        assert notes.grown_mb < MEMORY_MB
    rows = DOCUMENT.read_text(encoding="utf-8").splitlines()
    row = next(line for line in rows if line.startswith(f"| {fault.title} |"))
    missing = [sentence for sentence in notes.shown if kind == "openai" and quoted(sentence) not in row]
    assert (missing, recovery({kind: notes}) in row) == ([], True), "docs/faults.md is out of date: run `just faults`"


def test_the_table_has_a_row_for_every_fault() -> None:
    assert DOCUMENT.read_text(encoding="utf-8").startswith(INTRODUCTION)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines()]
    assert [fault.title for fault in ALL if fault.title not in rows] == []
