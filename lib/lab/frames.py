"""The lab's results as tables: what its charts draw and its files hold.

The rule: as in lib/analysis/frames.py, unknown is missing, never 0, and whoever draws a table says who counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from lib.lab.bakeoff import BakeOff, ContestantRun
from lib.lab.trim_costs import TrimCosts

if TYPE_CHECKING:
    import pandas as pd


def curves(made: BakeOff, what: str) -> pd.DataFrame:
    """One row per contestant and turn; `what` is a field of TurnResult. Costs are summed up."""
    import pandas as pd

    rows = [
        (course.entry.name, turn, value)
        for course in made.courses
        for turn, value in enumerate(_values(course, what), start=1)
    ]
    return pd.DataFrame(rows, columns=["strategy", "turn", what])


def _values(course: ContestantRun, what: str) -> list[float]:
    values = [getattr(step, what) for step in course.steps]
    return [float(value) for value in accumulate(values)] if what == "cost" else values


def facts(made: BakeOff, names: Sequence[str]) -> pd.DataFrame:
    """One row per fact, one column per contestant: in how many requests it was, and from which turn on no more."""
    import pandas as pd

    rows = [[name, *(_kept(course, place) for course in made.courses)] for place, name in enumerate(names)]
    return pd.DataFrame(rows, columns=["fact", *(course.entry.name for course in made.courses)])


def _kept(course: ContestantRun, fact: int) -> str:
    held, said = course.kept(fact)
    lost = course.lost_at(fact)
    return f"in {held} of {said} requests" + (f", lost at turn {lost}" if lost is not None else "")


def totals(made: BakeOff) -> pd.DataFrame:
    """One row per contestant."""
    import pandas as pd

    rows = [
        [
            course.entry.name,
            course.entry.settings.max_tokens,
            course.sent,
            course.cached,
            course.processed,
            course.reply,
            None if course.cost is None else float(course.cost),
            course.most_left_out,
            course.unfit,
        ]
        for course in made.courses
    ]
    names = [
        "strategy",
        "window",
        "tokens sent",
        "from the cache",
        "read anew",
        "replies",
        "cost in USD",
        "most left out",
        "did not fit",
    ]
    return pd.DataFrame(rows, columns=names)


def costs(made: TrimCosts, names: Sequence[str], *, money: bool) -> pd.DataFrame:
    """Two lines over the turns: what was read anew so far, or paid so far."""
    import pandas as pd

    rows = []
    for name, course in zip(names, (made.each_turn, made.seldom), strict=True):
        values = [float(step.cost or 0) if money else step.processed for step in course.steps]
        rows += [(name, turn, value) for turn, value in enumerate(accumulate(values), start=1)]
    return pd.DataFrame(rows, columns=["strategy", "turn", "so far"])
