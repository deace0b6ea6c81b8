"""What the trim lab found, as tables: rows for a CSV file.

The rule: the first row names the columns with their units; what is not known is an empty cell, never 0. Text that a
spreadsheet could take for a formula is quoted with an apostrophe.
It leaves out reading them again: for that there is JSON (lib/lab/report/report.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from lib.lab.bakeoff import BakeOff
from lib.lab.cliff_map import CliffMap
from lib.lab.facts import Fact
from lib.lab.recall.run import Answer
from lib.messages import utf8_safe

Cell = str | int | float | bool | Decimal | None
Rows = list[list[Cell]]


def cliff_rows(made: CliffMap) -> Rows:
    """One row per budget and run; stored messages are counted from 1, as pages show them."""
    rows: Rows = [["budget (tokens)", "request (tokens)", "fits", "first message", "last message", "sent", "reason"]]
    for row in made.rows:
        for start, stop, included, reason in row.runs:
            rows.append([row.budget, row.input_tokens, row.fits, start + 1, stop, included, reason])
    return rows


def bake_off_rows(made: BakeOff, facts: Sequence[Fact] = ()) -> Rows:
    """One row per entry and turn, a column for each fact: its answer where `facts` are those of the bake-off."""
    answers = {fact.index: fact.answer for fact in facts}
    names = [f"sent: {answers.get(index, f'message {index + 1}')}" for index in made.facts]
    rows: Rows = [
        [
            "entry",
            "strategy",
            "model",
            "turn",
            "message",
            "sent (tokens)",
            "reusable (tokens)",
            "cached (tokens)",
            "processed (tokens)",
            "reply (tokens)",
            "left out (messages)",
            "fits",
            "cost (USD)",
            "counter",
            "who counted",
            *names,
        ]
    ]
    for course in made.courses:
        settings = course.entry.settings
        for step in course.steps:
            rows.append(
                [
                    course.entry.name,
                    settings.strategy,
                    settings.model,
                    step.turn,
                    step.at + 1,
                    step.sent,
                    step.reusable,
                    step.cached,
                    step.processed,
                    step.reply,
                    step.left_out,
                    step.fits,
                    step.cost,
                    course.counter,
                    course.provenance,
                    *step.facts,
                ]
            )
    return rows


def answer_rows(answers: Iterable[Answer]) -> Rows:
    """One row per answer of a recall probe."""
    rows: Rows = [
        [
            "message",
            "question",
            "answer",
            "arm",
            "repeat",
            "answer went along",
            "verdict",
            "reply",
            "read (tokens)",
            "of that cached (tokens)",
            "written (tokens)",
            "cost (USD)",
            "error",
        ]
    ]
    for one in answers:
        usage = one.usage
        rows.append(
            [
                one.fact.index + 1,
                one.fact.question,
                one.fact.answer,
                one.arm,
                one.repeat,
                one.held,
                one.verdict,
                one.reply if one.error is None else None,
                usage.input_tokens,
                usage.cached_tokens,
                usage.output_tokens,
                one.cost,
                None if one.error is None else str(one.error.get("what", "")),
            ]
        )
    return rows


def csv_text(rows: Rows) -> str:
    """The rows as CSV.

    Example: csv_text([["a", "b"], [None, True]]) -> "a,b\\n,yes\\n"
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_cell(cell) for cell in row] for row in rows])
    return text.getvalue()


def _cell(value: Cell) -> str | int | float | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return utf8_safe(f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value)
    return value
