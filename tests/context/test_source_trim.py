"""source_trim equals the source document's trimHistory, faults included."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given

from lib.context.plan import ContextPlan
from lib.messages import Message, assistant, system, user
from tests.support.cases.planning_cases import Case, cases
from tests.support.slow_strategies import results_of


def plan(history: list[Message], budget: int, strategy: str, prompt: str = "new") -> ContextPlan:
    return Case(history, budget, prompt).plan(strategy)


def unmuted(history: list[Message], muted: frozenset[int]) -> Iterator[tuple[int, Message]]:
    """The messages that the source would see, with their stored indexes."""
    is_muted = False
    for index, message in enumerate(history):
        is_muted = index in muted if message.role == "user" and not results_of(message) else is_muted
        if message.is_system or not is_muted:
            yield index, message


@given(case=cases())
@example(
    case=Case(
        [user("x" * 40), *[assistant("y" * 40)] * 3, user(""), assistant(""), system("")], 20, muted=frozenset({0})
    )
)
def test_source_trim_never_sees_a_muted_exchange(case: Case) -> None:
    case = case.with_prompt()
    kept: list[tuple[int | None, Message]] = [
        *unmuted(case.history, case.muted),
        (len(case.history), user(case.prompt or "")),
    ]
    if case.instructions.strip():
        kept.insert(0, (None, system(case.instructions)))
    count = case.counter.count
    total = sum(count(message) for _, message in kept)
    while total > case.budget and len(kept) > 4:  # the loop of the source
        total -= count(kept.pop(1)[1])
    items = case.plan("source_trim").items
    assert [item.index for item in items if item.included] == [index for index, _ in kept]


def source_cases(count: int) -> list[tuple[list[Message], str, int]]:
    """Random (history, prompt, budget): with and without system message, with content parts, null and emoji."""
    rng = random.Random(20261123)
    contents = ["", "a", "hello there", "x" * 333, "😀" * 9, None, [{"type": "text", "text": "part"}], "cut \ud83d"]
    cases = []
    for _ in range(count):
        history = [
            Message(rng.choice(["user", "assistant", "tool"]), rng.choice(contents))
            for _ in range(rng.randrange(0, 30))
        ]
        if rng.random() < 0.5:
            history.insert(0, system("You are a helpful assistant."))
        cases.append((history, rng.choice(["new", "y" * 150]), rng.choice([0, 1, 20, 50, 100, 300, 80_000])))
    return cases


def test_source_trim_keeps_what_the_sources_javascript_keeps() -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node.js: apt-get install nodejs")
    cases = source_cases(800)
    lines = [
        json.dumps({"messages": [m.to_dict() for m in (*history, user(prompt))], "maxTokens": budget})
        for history, prompt, budget in cases
    ]
    script = Path(__file__).with_name("source_trim.mjs")
    done = subprocess.run(["node", str(script)], input="\n".join(lines), capture_output=True, text=True, check=True)
    kept = [json.loads(line) for line in done.stdout.splitlines()]
    for (history, prompt, budget), theirs in zip(cases, kept, strict=True):
        ours = [item.index for item in plan(history, budget, "source_trim", prompt).items if item.included]
        assert ours == theirs, (history, prompt, budget)


def test_without_a_system_message_the_first_user_message_is_pinned() -> None:
    history = [user("u1" * 40), assistant("a1" * 40), user("u2" * 40), assistant("a2" * 40)]
    items = list(plan(history, 70, "source_trim").items)
    assert (items[0].included, items[0].reason) == (True, "pinned")


def test_source_trim_can_leave_a_reply_without_its_question() -> None:
    history = [system("s"), *(message for n in range(6) for message in (user(f"u{n}" * 20), assistant(f"a{n}" * 20)))]
    assert [b for b in range(20, 130) if plan(history, b, "source_trim").included[1].role == "assistant"]


def test_four_messages_are_sent_even_over_budget() -> None:
    trimmed = plan([system("s"), user("x" * 40_000), assistant("y" * 120_000)], 100, "source_trim")
    assert (trimmed.included_count, trimmed.input_tokens > 40_000, trimmed.fits) == (4, True, False)
