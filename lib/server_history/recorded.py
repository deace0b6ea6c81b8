"""A run recorded through the replica, so that the page has something to show before anything is asked.

`python -m lib.server_history.recorded` records it anew: it asks the script through every way, with the model on this
machine, and writes what was measured to recorded_run.json. Nothing in that file is written by hand.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from lib.server_history import Approach, Handle
from lib.server_history.comparison import Comparison
from lib.server_history.lane import LaneState
from lib.server_history.lane_turn import LaneTurn

FILE = Path(__file__).with_name("recorded_run.json")
SYSTEM_PROMPT = "You are a helpful assistant."
SCRIPT = (
    "What is the capital of Japan?",
    "Write two sentences about that city.",
    "Name three fruits.",
    "Why is the sky blue?",
    "What do cows eat?",
    "What is the capital of Japan?",
)
"""Found by trying: the small model answers these well, and "that city" needs the history."""


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """The lanes as they were after the script. `recorded_on` is an ISO date, `model` the model's name."""

    recorded_on: str
    model: str
    lanes: tuple[LaneState, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON in the file."""
        lanes = {lane.approach: [turn.to_dict() for turn in lane.turns] for lane in self.lanes}
        return {"recorded_on": self.recorded_on, "model": self.model, "lanes": lanes}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> RecordedRun:
        """Read what `to_dict` wrote."""
        lanes = [
            LaneState(
                approach,
                tuple(
                    LaneTurn.from_dict(turn, Handle(approach, stored["model"])) for turn in stored["lanes"][approach]
                ),
                None,
                "",
                None,
            )
            for approach in get_args(Approach)
        ]
        return cls(stored["recorded_on"], stored["model"], tuple(lanes))


@cache
def recorded_run() -> RecordedRun:
    """The run in the file."""
    return RecordedRun.from_dict(json.loads(FILE.read_text()))


def record(comparison: Comparison, model: str, script: Sequence[str] = SCRIPT) -> RecordedRun:
    """Ask the script in every lane of this comparison, and wait for its end. Raises RuntimeError if one fails."""
    approaches: tuple[Approach, ...] = get_args(Approach)
    comparison.run_script(approaches, script)
    while comparison.busy:
        time.sleep(0.05)
    states = tuple(comparison.states(approaches))
    for state in states:
        if [turn.prompt for turn in state.turns if turn.result is not None] != list(script):
            raise RuntimeError(f"{state.approach} did not answer every turn: {state.turns[-1].error}")
    return RecordedRun(time.strftime("%Y-%m-%d", time.gmtime()), model, states)


def main() -> None:
    """Record a run with the model on this machine, and write it to the file."""
    from lib.providers.llama.process import LocalModel
    from lib.server_history.offline import LocalReplica

    model = LocalModel()
    replica = LocalReplica.on(model)
    try:
        comparison = Comparison(
            "replica",
            SYSTEM_PROMPT,
            lambda approach, settings, _: replica.history(approach, settings),
            lambda handles: None,
            in_turns=True,
        )
        FILE.write_text(json.dumps(record(comparison, model.name).to_dict(), ensure_ascii=False) + "\n")
        sys.stdout.write(f"Wrote {FILE}\n")
    finally:
        replica.close()
        model.close()


if __name__ == "__main__":
    main()
