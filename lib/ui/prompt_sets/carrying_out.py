"""Starts runs, goes on with them, and finds those that this process carries out."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from urllib.parse import urlsplit

import streamlit as st

from lib.access import is_loopback
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history.prompt_sets import MOST_RUNS
from lib.prompt_sets import CheckKind, Prompt, PromptSet, pack_prompts, unpack_prompts
from lib.prompt_sets.running.parts import Parts
from lib.prompt_sets.running.runner import Runner
from lib.prompt_sets.runs import Answer, Run, pack_run, unpack_answer, unpack_run
from lib.ui.chat import actions
from lib.ui.shell import services
from lib.ui.shell.last_used import LastUsed

KEPT = 64
AT_ONCE = 4
"""Requests that a server elsewhere gets at once. One on this machine answers one after the other."""


@st.cache_resource(show_spinner=False)
def runners() -> LastUsed[Runner]:
    """The runs of this process, by owner and id. One that makes room is cancelled, and can be gone on with."""
    return LastUsed(KEPT, lambda runner: runner.cancel())


@dataclass(frozen=True, slots=True)
class Opened:
    """A run with its prompts and its answers so far. `runner` carries it out in this process, or did."""

    run: Run
    prompts: tuple[Prompt, ...]
    answers: dict[tuple[int, int], Answer]
    is_held: bool
    runner: Runner | None

    @property
    def is_running(self) -> bool:
        """Whether it is carried out here, or in another process."""
        return self.is_held if self.runner is None else not self.runner.done.is_set()

    @property
    def missing(self) -> int:
        """Answers that going on with it would ask for or check again."""
        return self.run.total - sum(each.is_final for each in self.answers.values())


def find(run_id: str) -> Opened | None:
    """A run of the person who looks at the page; None if there is no such run. Raises ChatError."""
    owner, store = services.asking().id, services.chat().store.prompt_runs
    try:
        stored = store.run(owner, run_id)
    except ValueError:
        return None
    if stored is None:
        return None
    runner = runners().get(_key(owner, run_id))
    if runner is not None and (stored.is_held or not runner.done.is_set()):
        run = replace(runner.run, name=unpack_run(stored.head).name)
        return Opened(run, runner.prompts, dict(runner.answers), True, runner)
    prompts = unpack_prompts(store.prompts(owner, run_id) or "[]")
    answers = [unpack_answer(each) for each in store.answers(owner, run_id).values()]
    known = {each.place: each for each in answers if each is not None}
    return Opened(unpack_run(stored.head), prompts, known, stored.is_held, None)


def start(
    name: str,
    chosen: PromptSet,
    models: Sequence[ChatSettings],
    check: CheckKind,
    judge: ChatSettings | None,
    cap: Decimal | None,
) -> str:
    """Store a new run, begin it, and return its id. Raises ChatError."""
    owner, store = services.asking().id, services.chat().store.prompt_runs
    run = Run(uuid.uuid4().hex, name, chosen.name, time.time(), tuple(models), len(chosen.prompts), check, judge, cap)
    if not store.create(owner, run.id, pack_run(run), pack_prompts(chosen.prompts), run.created_at):
        raise ChatError(
            f"You have {MOST_RUNS} runs, and no more are kept.",
            safe="Nothing was sent.",
            next_step="Delete one that you no longer need, then start again.",
        )
    _begin(run, chosen.prompts, ())
    return run.id


def go_on(run_id: str, cap: Decimal | None) -> None:
    """Ask what has no answer yet, with this cap. Raises ChatError."""
    found = find(run_id)
    if found is None:
        raise ChatError("This run is gone.", safe="Nothing was sent.", next_step="Start a new one.")
    if not found.is_running:
        _begin(replace(found.run, cap=cap), found.prompts, tuple(found.answers.values()))


def cancel(run_id: str) -> None:
    """Ask nothing more. For callbacks."""
    runner = runners().get(_key(services.asking().id, run_id))
    if runner is not None:
        runner.cancel()


def _begin(run: Run, prompts: Sequence[Prompt], answers: Sequence[Answer]) -> None:
    owner = services.asking().id
    _refuse_unknown_endpoints(run)
    runner = Runner(run, prompts, answers, _parts(run, owner))
    runner.start()
    runners()[_key(owner, run.id)] = runner


def _refuse_unknown_endpoints(run: Run) -> None:
    """Raises ChatError if a server of this run is not configured any more: another one would answer in its place."""
    for settings in (*run.models, *([] if run.judge is None else [run.judge])):
        if services.endpoint(settings.provider).name != settings.provider:
            raise ChatError(
                f"The endpoint “{settings.provider}” of this run is not configured any more.",
                safe="Nothing was sent.",
                next_step="Add it again under Models and endpoints, then go on.",
            )


def _parts(run: Run, owner: str) -> Parts:
    """What the run's threads need. The keys are read here, because a thread cannot read the browser session."""
    chat = services.chat()
    settings = (*run.models, *([] if run.judge is None else [run.judge]))
    openers = {each.provider: actions.opener(each.provider) for each in settings}
    return Parts(
        chat.store.prompt_runs,
        owner,
        lambda chosen: openers[chosen.provider](chosen),
        services.counter_of,
        services.find_model,
        chat.spending.meter_of_run(owner, run.id, run.cap),
        places,
    )


def places(name: str) -> int:
    """How many requests an endpoint gets at once."""
    endpoint = services.endpoint(name)
    host = urlsplit(endpoint.base_url or "").hostname or ""
    return 1 if endpoint.kind == "local" or is_loopback(host) else AT_ONCE


def _key(owner: str, run_id: str) -> str:
    return f"{owner}:{run_id}"
