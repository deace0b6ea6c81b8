"""What a run needs from the app, what is still to be asked, and how far it has come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from lib.history.prompt_sets import RunStore
from lib.prompt_sets.running.asking import CounterOf, OpenProvider
from lib.prompt_sets.running.lanes import Wait
from lib.prompt_sets.runs import Answer, Run
from lib.spending.meter import FindModel, Meter

Queue = deque[tuple[int, int]]
"""Places of a run, in the order in which they are asked."""


class Progress(NamedTuple):
    """How many answers there are, of how many; how many requests failed; and seconds that an endpoint has to be left
    alone."""

    done: int
    total: int
    failed: int
    waits: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run needs from the app. `places` says how many requests an endpoint takes at once, by its name."""

    store: RunStore
    owner: str
    open_provider: OpenProvider
    counter_of: CounterOf
    find: FindModel
    meter: Meter
    places: Callable[[str], int]
    wait: Wait | None = None


def queues(run: Run, known: Mapping[tuple[int, int], Answer]) -> dict[str, Queue]:
    """What is to be asked, by the endpoint's name: all models of one prompt, then those of the next."""
    found: dict[str, Queue] = {}
    for prompt in range(run.prompts):
        for model, settings in enumerate(run.models):
            answer = known.get((prompt, model))
            if answer is None or not answer.is_final:
                found.setdefault(settings.provider, deque()).append((prompt, model))
    return found
