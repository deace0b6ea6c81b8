"""Runs on a real server that speaks OpenAI's protocol, with the store and the spending book in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from lib.chat_settings import ChatSettings
from lib.history import HistoryStore
from lib.history.memory import InMemoryHistory
from lib.pricing.model import Model, Rates
from lib.prompt_sets import Check, Prompt, pack_prompts, unpack_prompts
from lib.prompt_sets.running.parts import Parts
from lib.prompt_sets.running.runner import Runner
from lib.prompt_sets.runs import Answer, Run, pack_run, unpack_answer
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from lib.spending.spending import Spending
from lib.tokens import ESTIMATE
from tests.support.servers.exam_server import ExamServer

PRICE = Decimal("100000")
"""USD per million tokens, so that a token costs ten cents."""


def settings(model: str = "small", **changes: Any) -> ChatSettings:
    return replace(ChatSettings("exam", model, "", 4096, 8, "none"), **changes)


def prompts(count: int, *checks: Check) -> tuple[Prompt, ...]:
    return tuple(Prompt(str(n), f"question {n}", expected=f"question {n}", checks=checks) for n in range(count))


@dataclass
class Stage:
    """What a run needs. `waited` holds the seconds that it waited for; nobody really waits."""

    exam: ExamServer
    store: HistoryStore = field(default_factory=lambda: InMemoryHistory(3600))
    priced: bool = False
    places: int = 4
    waited: list[float] = field(default_factory=list)
    waits: Callable[[float], object] | None = None

    def find(self, provider: str, model: str) -> Model | None:
        rate = ((0, PRICE if self.priced else Decimal(0)),)
        return Model(model, "exam", model, None, None, Rates(rate, rate, rate, rate), "") if self.priced else None

    def parts(self, run: Run) -> Parts:
        endpoint = Endpoint("exam", "openai", "Exam", self.exam.url, "small", "sk-exam")
        spending = Spending(self.store, self.find)
        return Parts(
            self.store.prompt_runs,
            "",
            lambda chosen: OpenAIProvider(endpoint, "sk-exam"),
            lambda chosen, provider: ESTIMATE,
            self.find,
            spending.meter_of_run("", run.id, run.cap),
            lambda name: self.places,
            self.waits or self.waited.append,
        )

    def begin(self, asked: Iterable[Prompt], *models: ChatSettings, **changes: Any) -> Runner:
        """A new run, stored and started."""
        asked = tuple(asked)
        run = Run("run-1", "A run", "set", 1.0, models or (settings(),), len(asked), "icontains")
        run = replace(run, **changes)
        assert self.store.prompt_runs.create("", run.id, pack_run(run), pack_prompts(asked), run.created_at)
        runner = Runner(run, asked, (), self.parts(run))
        runner.start()
        return runner

    def again(self, run: Run, **changes: Any) -> Runner:
        """The same run from what is stored of it, as after a restart."""
        stored = self.store.prompt_runs
        found = unpack_prompts(stored.prompts("", run.id) or "")
        runner = Runner(replace(run, **changes), found, self.stored(run.id), self.parts(replace(run, **changes)))
        runner.start()
        return runner

    def stored(self, run_id: str = "run-1") -> list[Answer]:
        """The stored answers, in order."""
        found = map(unpack_answer, self.store.prompt_runs.answers("", run_id).values())
        return sorted((each for each in found if each is not None), key=lambda each: each.place)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with ExamServer() as exam:
        yield Stage(exam)
