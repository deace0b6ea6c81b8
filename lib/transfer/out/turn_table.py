"""The turns of conversations as a table, for CSV and Parquet files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lib.analysis.csv_file import csv_bytes
from lib.messages import utf8_safe
from lib.turns import Turn

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "chat": "str",
    "turn": "Int64",
    "turn id": "str",
    "started": "str",
    "provider": "str",
    "model": "str",
    "status": "str",
    "stop reason": "str",
    "prompt": "str",
    "reply": "str",
    "system prompt": "str",
    "strategy": "str",
    "messages stored": "Int64",
    "messages sent": "Int64",
    "messages not sent": "Int64",
    "window in tokens": "Int64",
    "reserved for the reply": "Int64",
    "planned input tokens": "Int64",
    "counter": "str",
    "how it counted": "str",
    "input tokens": "Int64",
    "of that cached": "Int64",
    "of that written to the cache": "Int64",
    "output tokens": "Int64",
    "of that reasoning": "Int64",
    "hidden tokens": "Int64",
    "who counted": "str",
    "first token, ms": "Float64",
    "duration, ms": "Float64",
    "request SHA-256": "str",
    "note": "str",
}
"""The columns with their types. `started` is ISO 8601 in UTC. What is not known is a missing value."""


def table(conversations: Iterable[tuple[str, Sequence[Turn]]]) -> pd.DataFrame:
    """One row per turn. Each conversation is its title and its turns."""
    import pandas as pd

    rows = [_row(title, turn) for title, turns in conversations for turn in turns]
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype({name: kind for name, kind in COLUMNS.items() if kind != "str"})


def as_csv(frame: pd.DataFrame) -> bytes:
    """The table as CSV, safe to open in a spreadsheet."""
    return csv_bytes(frame)


def as_parquet(frame: pd.DataFrame) -> bytes:
    """The table as Parquet. Texts are as they are stored."""
    import pandas as pd

    texts = {name: pd.array(list(frame[name]), dtype="string") for name, kind in COLUMNS.items() if kind == "str"}
    file = io.BytesIO()
    frame.assign(**texts).to_parquet(file, engine="pyarrow", index=False)
    return file.getvalue()


def _row(title: str, turn: Turn) -> list[Any]:
    usage, plan = turn.usage, turn.plan
    planned: list[Any] = [None] * 8
    if plan is not None:
        planned = [
            *(plan.strategy, plan.stored, plan.sent, plan.left_out, plan.max_tokens, plan.reserved_for_reply),
            plan.input_tokens,
            plan.counter,
        ]
    reported = usage.input_tokens is not None or usage.output_tokens is not None
    values = [
        *(title, turn.number, turn.id, _time(turn.started_at), turn.provider, turn.model, turn.status),
        *(turn.stop_reason, turn.prompt, turn.reply, turn.system_prompt, *planned),
        None if plan is None else plan.provenance,
        *(usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens),
        *(usage.reasoning_tokens, usage.hidden_tokens, turn.usage_provenance if reported else None),
        *(turn.first_token_ms, turn.duration_ms, turn.request_sha256, turn.note),
    ]
    return [utf8_safe(value) if isinstance(value, str) else value for value in values]


def _time(started_at: float) -> str | None:
    return datetime.fromtimestamp(started_at, UTC).isoformat() if started_at else None
