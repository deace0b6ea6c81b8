"""The lab's CSV files hold every result, with units, empty cells for what is not known, and no formulas."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pandas as pd

from lib.analysis.csv_file import csv_bytes
from lib.errors import RateLimited
from lib.lab.cliff_map import CliffMap, Row
from lib.lab.facts import Fact
from lib.lab.recall.run import Answer
from lib.lab.report import csv_tables
from tests.support.cases.lab_reports import real_report


def lines_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """The file as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(csv_bytes(frame).decode())))


def test_a_cliff_map_has_a_line_per_budget_and_run() -> None:
    cliff_map = real_report().cliffs[0].made
    lines = lines_of(csv_tables.cliffs(cliff_map))
    assert len(lines) == sum(len(row.runs) for row in cliff_map.rows)
    assert lines[0]["budget (tokens)"] == "50"
    assert {line["sent"] for line in lines} == {"yes", "no"}


def test_a_bake_off_has_a_line_per_contestant_and_turn_that_adds_up() -> None:
    report = real_report()
    assert report.bake_off is not None
    runs = report.bake_off.courses
    lines = lines_of(csv_tables.turns(report.bake_off, report.facts))
    assert [line["contestant"] for line in lines] == ["few"] * 11 + ["all"] * 11
    assert sum(int(line["uncached (tokens)"]) for line in lines[:11]) == runs[0].processed
    assert sum(Decimal(line["cost (USD)"]) for line in lines[:11]) == runs[0].cost
    assert (lines[0]["sent: Bruno"], lines[1]["sent: Bruno"]) == ("", "yes")
    assert "sent: message 1" in lines_of(csv_tables.turns(report.bake_off))[0]


def test_an_answer_has_a_line_with_its_reply_or_its_error() -> None:
    report = real_report()
    assert report.recall is not None
    wrong, right = lines_of(csv_tables.answers(report.recall.answers))
    assert (wrong["verdict"], wrong["cost (USD)"], wrong["error"]) == ("", "", "The key was refused.")
    assert (right["reply"], right["cost (USD)"], right["error"]) == ("It is 4711.", "0.000010", "")
    assert (right["read (tokens)"], right["of that cached (tokens)"]) == ("40", "0")


def test_no_cell_is_a_formula_and_half_an_emoji_can_be_saved() -> None:
    fact = Fact(0, "x", "=1+1", "-2")
    answer = Answer(fact, "@arm", 1, True, "\ud83d+", error=RateLimited("+Too fast.").to_dict())
    (line,) = lines_of(csv_tables.answers([answer]))
    assert [line[name] for name in ("question", "answer", "arm", "error")] == ["'=1+1", "'-2", "'@arm", "'+Too fast."]
    (line,) = lines_of(csv_tables.answers([Answer(fact, "arm", 1, True, "\ud83d")]))
    assert line["reply"] == "\ufffd"


def test_a_map_without_messages_has_only_a_header() -> None:
    for empty in (CliffMap((), ()), CliffMap((5,), (Row(5, (), 0, True),))):
        assert csv_bytes(csv_tables.cliffs(empty)).decode() == ",".join(csv_tables.CLIFF_COLUMNS) + "\n"
