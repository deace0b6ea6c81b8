"""The answers of a run as a table, for the page and for CSV and Parquet files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lib.analysis.csv_file import csv_bytes
from lib.messages import utf8_safe
from lib.prompt_sets import Prompt
from lib.prompt_sets.runs import OUTCOME_WORDS, Answer, Run

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "id": "str",
    "model": "str",
    "endpoint": "str",
    "result": "str",
    "prompt": "str",
    "expected": "str",
    "answer": "str",
    "why": "str",
    "judged by a model": "boolean",
    "system prompt": "str",
    "variables": "str",
    "input tokens": "Int64",
    "output tokens": "Int64",
    "who counted": "str",
    "cost in USD": "Float64",
    "cost of the judge in USD": "Float64",
    "seconds": "Float64",
    "seconds to the first word": "Float64",
    "stop reason": "str",
    "attempts": "Int64",
    "error": "str",
    "request SHA-256": "str",
}
"""The columns with their types. What is not known is a missing value."""


def table(run: Run, prompts: Sequence[Prompt], answers: Mapping[tuple[int, int], Answer]) -> pd.DataFrame:
    """One row per answer, in the order of the prompts and of the models."""
    import pandas as pd

    labels = run.labels
    rows = [
        _row(run, prompts[place[0]], answers[place], labels)
        for place in sorted(answers)
        if place[0] < len(prompts) and place[1] < len(labels)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype({name: kind for name, kind in COLUMNS.items() if kind != "str"})


def as_csv(frame: pd.DataFrame) -> bytes:
    """The table as CSV, safe to open in a spreadsheet."""
    return csv_bytes(frame)


def as_parquet(frame: pd.DataFrame) -> bytes:
    """The table as Parquet."""
    import pandas as pd

    texts = {name: pd.array(list(frame[name]), dtype="string") for name, kind in COLUMNS.items() if kind == "str"}
    file = io.BytesIO()
    frame.assign(**texts).to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _row(run: Run, prompt: Prompt, answer: Answer, labels: Sequence[str]) -> list[Any]:
    settings, usage = run.models[answer.model], answer.usage
    billed = usage.input_tokens is not None
    variables = ", ".join(f"{name}={value}" for name, value in prompt.variables.items())
    error = "" if answer.error is None else str(answer.error.get("what", ""))
    values = [
        *(prompt.id, labels[answer.model], settings.provider, OUTCOME_WORDS[answer.outcome]),
        *(prompt.text, prompt.expected or "\n".join(each.value for each in prompt.checks), answer.text, answer.reason),
        *(answer.judged, prompt.system or settings.system_prompt, variables),
        *(usage.input_tokens if billed else answer.tokens, usage.output_tokens),
        "billed" if billed else answer.provenance if answer.tokens is not None else None,
        *(None if each is None else float(each) for each in (answer.cost, answer.judge_cost)),
        *(answer.seconds, answer.first_seconds, answer.stop_reason, answer.attempts, error, answer.sha256),
    ]
    return [utf8_safe(value) if isinstance(value, str) else value for value in values]
