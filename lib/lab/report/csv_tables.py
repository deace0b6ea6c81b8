"""Builds the lab's results as tables for CSV files; lib/analysis/csv_file.py writes them.

Column names carry the units. What is not known is an empty cell, never 0. All columns have dtype object, because whole
numbers beside missing ones would become fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lib.lab.bakeoff import BakeOff, ContestantRun, TurnResult
from lib.lab.cliff_map import CliffMap
from lib.lab.facts import Fact
from lib.lab.recall.run import Answer

if TYPE_CHECKING:
    import pandas as pd

CLIFF_COLUMNS = ("budget (tokens)", "request (tokens)", "fits", "first message", "last message", "sent", "reason")
TURN_COLUMNS = (
    "contestant",
    "strategy",
    "model",
    "turn",
    "message",
    "sent (tokens)",
    "reusable (tokens)",
    "cached (tokens)",
    "uncached (tokens)",
    "reply (tokens)",
    "not sent (messages)",
    "fits",
    "cost (USD)",
    "counter",
    "who counted",
)
ANSWER_COLUMNS = (
    "message",
    "question",
    "answer",
    "arm",
    "repeat",
    "answer was sent",
    "verdict",
    "reply",
    "read (tokens)",
    "of that cached (tokens)",
    "written (tokens)",
    "cost (USD)",
    "error",
)


def cliffs(cliff_map: CliffMap) -> pd.DataFrame:
    """One row per budget and run; messages are numbered from 1."""
    import pandas as pd

    rows = [
        [row.budget, row.input_tokens, row.fits, start + 1, stop, included, reason]
        for row in cliff_map.rows
        for start, stop, included, reason in row.runs
    ]
    return pd.DataFrame(rows, columns=list(CLIFF_COLUMNS), dtype=object)


def turns(result: BakeOff, facts: Sequence[Fact] = ()) -> pd.DataFrame:
    """One row per contestant and turn, with a column for each fact, named after its answer if it is among `facts`."""
    import pandas as pd

    answers = {fact.index: fact.answer for fact in facts}
    fact_columns = [f"sent: {answers.get(index, f'message {index + 1}')}" for index in result.facts]
    rows = [_turn_row(run, step) for run in result.courses for step in run.steps]
    return pd.DataFrame(rows, columns=[*TURN_COLUMNS, *fact_columns], dtype=object)


def _turn_row(run: ContestantRun, step: TurnResult) -> list[object]:
    return [
        *(run.entry.name, run.entry.settings.strategy, run.entry.settings.model),
        *(step.turn, step.at + 1),
        *(step.sent, step.reusable, step.cached, step.processed, step.reply),
        *(step.left_out, step.fits, step.cost),
        *(run.counter, run.provenance),
        *step.facts,
    ]


def answers(found: Iterable[Answer]) -> pd.DataFrame:
    """One row per answer of a recall probe."""
    import pandas as pd

    return pd.DataFrame([_answer_row(answer) for answer in found], columns=list(ANSWER_COLUMNS), dtype=object)


def _answer_row(answer: Answer) -> list[object]:
    usage, error = answer.usage, answer.error
    return [
        *(answer.fact.index + 1, answer.fact.question, answer.fact.answer),
        *(answer.arm, answer.repeat, answer.held, answer.verdict),
        answer.reply if error is None else None,
        *(usage.input_tokens, usage.cached_tokens, usage.output_tokens),
        answer.cost,
        None if error is None else str(error.get("what", "")),
    ]
