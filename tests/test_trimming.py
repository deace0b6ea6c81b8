"""What is sent and what is left out: promises that hold for every conversation at every budget."""

from __future__ import annotations

import copy
import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.context import REASON_TEXT, Candidates, ContextPlan, ContextWindow
from lib.messages import Message, assistant, system, user
from lib.tokens import CharacterEstimate, TokenLedger
from lib.trimming import STRATEGIES, plan_context
from tests.conversations import histories, texts
from tests.test_tokens import Counting

budgets = st.integers(0, 400) | st.just(100_000)
# system messages between everything, also inside exchanges, as another service may store them
dense = st.lists(
    st.builds(
        lambda role, size: Message(role, "x" * size),
        st.sampled_from(["user", "user", "assistant", "system"]),
        st.sampled_from([0, 4, 40, 100]),
    ),
    max_size=14,
)
prompts = texts | st.none()


def plan(
    history: list[Message],
    budget: int,
    strategy: str,
    prompt: str | None = "new",
    instructions: str = "",
    muted: set[int] | None = None,
) -> ContextPlan:
    candidates = Candidates.gather(instructions, history, prompt, TokenLedger(CharacterEstimate()))
    return plan_context(candidates, ContextWindow(budget + 50, 50), strategy, muted or set())


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Message], int, str | None, str, set[int]]:
    history = draw(histories() | dense)
    starts = [n for n, message in enumerate(history) if message.role == "user"]
    muted = draw(st.sets(st.sampled_from(starts), max_size=4)) if starts else set()
    return history, draw(budgets), draw(prompts), draw(texts), muted


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(case=cases())
@example(case=([], 0, None, "", set()))
def test_every_candidate_has_exactly_one_reason_and_the_parts_add_up(
    strategy: str, case: tuple[list[Message], int, str | None, str, set[int]]
) -> None:
    history, budget, prompt, instructions, muted = case
    before = copy.deepcopy([message.to_dict() for message in history])
    made = plan(history, budget, strategy, prompt, instructions, muted)
    items = list(made.items)
    expected = (
        ([None] if instructions.strip() else [])
        + [*range(len(history))]
        + ([len(history)] if prompt is not None else [])
    )
    assert [item.index for item in items] == expected
    assert all(item.reason in REASON_TEXT for item in items)
    assert all(REASON_TEXT[item.reason].startswith("Sent" if item.included else "Left out") for item in items)
    assert made.included_count + made.left_out_count == len(items)
    assert made.included == [item.message for item in items if item.included]
    assert made.input_tokens == sum(item.tokens for item in items if item.included)
    assert made.left_out_tokens == sum(item.tokens for item in made.left_out)
    assert made.fits == (made.input_tokens <= budget)
    assert [message.to_dict() for message in history] == before  # trimming is a view


@given(case=cases())
def test_leaving_out_the_oldest_builds_nothing_a_provider_would_refuse(
    case: tuple[list[Message], int, str | None, str, set[int]],
) -> None:
    history, budget, prompt, instructions, muted = case
    sent = plan(history, budget, "oldest_first", "new" if prompt is None else prompt, instructions, muted).included
    talk = [message for message in sent if not message.is_system]
    assert talk[0].role == "user"
    assert sent[-1].role == "user"  # the new message is always there
    calls = {call["id"] for message in talk for call in message.extra.get("tool_calls", [])}
    results = {message.extra["tool_call_id"] for message in talk if message.role == "tool"}
    assert calls == results


SYSTEM_IN_MUTED = [user("x" * 100), assistant("y" * 40), user("x" * 40), system("z" * 40), user("x" * 4)]


@given(case=cases())
@example(case=(SYSTEM_IN_MUTED, 30, "new", "", {2}))
@example(case=([user("x" * 40), assistant("y" * 40)], 41, "new", "z" * 80, set()))  # all of it, to the token
@example(case=([user("x" * 40), assistant("y" * 40)], 21, "new", "z" * 80, set()))  # not once instructions are counted
def test_leaving_out_the_oldest_keeps_all_that_fits(case: tuple[list[Message], int, str | None, str, set[int]]) -> None:
    history, budget, _, instructions, muted = case
    made = plan(history, budget, "oldest_first", "new", instructions, muted)
    starts = [n for n, message in enumerate(history) if message.role == "user"]
    counter = CharacterEstimate()
    fixed = counter.count(system(instructions)) if instructions.strip() else 0

    def size(cut: int) -> int:  # by the plain rule, one message after the other
        total, silent = fixed + counter.count(user("new")), False
        for n, message in enumerate(history):
            silent = n in muted if message.role == "user" else silent
            if message.is_system or (n >= cut and not silent):
                total += counter.count(message)
        return total

    fitting = [cut for cut in [*starts, len(history)] if size(cut) <= budget]
    cut = min(fitting, default=len(history))
    assert made.fits == bool(fitting)
    assert made.input_tokens == size(cut if starts else len(history))


def test_a_message_over_budget_alone_is_said_not_cut() -> None:
    made = plan([user("old"), assistant("older")], 10, "oldest_first", "x" * 400)
    assert not made.fits
    assert [message.text for message in made.included] == ["x" * 400]


@given(case=cases())
def test_leaving_out_nothing_sends_all_but_what_is_muted(
    case: tuple[list[Message], int, str | None, str, set[int]],
) -> None:
    history, budget, prompt, instructions, muted = case
    assert all(item.reason == "muted" for item in plan(history, budget, "none", prompt, instructions, muted).left_out)


def test_a_system_message_in_a_muted_exchange_is_still_sent() -> None:
    for strategy in STRATEGIES:
        assert SYSTEM_IN_MUTED[3] in plan(SYSTEM_IN_MUTED, 1000, strategy, muted={2}).included


def unmuted(history: list[Message], muted: set[int]) -> Iterator[tuple[int, Message]]:
    silent = False
    for n, message in enumerate(history):
        silent = n in muted if message.role == "user" else silent
        if message.is_system or not silent:
            yield n, message


@given(case=cases())
@example(case=([user("x" * 40), *[assistant("y" * 40)] * 3, user(""), assistant(""), system("")], 20, "new", "", {0}))
def test_a_muted_exchange_was_never_there_for_the_source(
    case: tuple[list[Message], int, str | None, str, set[int]],
) -> None:
    history, budget, _, instructions, muted = case
    kept: list[tuple[int | None, Message]] = [*unmuted(history, muted), (len(history), user("new"))]
    if instructions.strip():
        kept.insert(0, (None, system(instructions)))
    count = CharacterEstimate().count
    total = sum(count(message) for _, message in kept)
    while total > budget and len(kept) > 4:  # the source's loop
        total -= count(kept.pop(1)[1])
    items = plan(history, budget, "source_trim", "new", instructions, muted).items
    assert [item.index for item in items if item.included] == [index for index, _ in kept]


def source_cases(count: int) -> list[tuple[list[Message], str, int]]:
    """Random conversations as the source's route has them: system message or not, parts, null, emoji, any budget."""
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


def test_source_trim_is_the_sources_own_javascript() -> None:
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


def test_the_source_pins_the_first_user_message_where_there_is_no_system_message() -> None:
    history = [user("u1" * 40), assistant("a1" * 40), user("u2" * 40), assistant("a2" * 40)]
    items = list(plan(history, 70, "source_trim").items)
    assert (items[0].included, items[0].reason) == (True, "pinned")


def test_the_source_leaves_half_exchanges() -> None:
    history = [system("s"), *(said for n in range(6) for said in (user(f"u{n}" * 20), assistant(f"a{n}" * 20)))]
    faulty = [b for b in range(20, 130) if plan(history, b, "source_trim").included[1].role == "assistant"]
    assert faulty  # at many budgets a reply stands without its question


def test_the_sources_floor_of_four_messages_exceeds_the_limit() -> None:
    made = plan([system("s"), user("x" * 40_000), assistant("y" * 120_000)], 100, "source_trim")
    assert (made.included_count, made.input_tokens > 40_000, made.fits) == (4, True, False)


class Looked(Sequence[Any]):
    """A sequence that counts how many of its elements were looked at."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values, self.looks = values, 0

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, place: Any) -> Any:
        self.looks += len(self.values[place]) if isinstance(place, slice) else 1
        return self.values[place]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_deciding_costs_the_same_at_100_and_at_100000_messages(strategy: str) -> None:
    costs = {}
    for size in (100, 100_000):
        counter = Counting()
        ledger = TokenLedger(counter)
        history = Looked([said for n in range(size // 2) for said in (user(f"q{n}"), assistant("a" * 40))])
        asked = Looked(ledger.sync(history).user_positions)
        candidates = Candidates.gather("sys", history, "new", ledger)
        candidates = replace(candidates, tally=replace(candidates.tally, user_positions=asked))  # type: ignore[arg-type]
        counter.calls = history.looks = asked.looks = 0
        made = plan_context(candidates, ContextWindow(300, 50), strategy, {0, 4})
        costs[size] = (len(made.runs), counter.calls, asked.looks, history.looks)
    # a bisection looks at a handful more places in a thousandfold history, and counts no stored message again
    assert costs[100_000][0] == costs[100][0]
    assert all(large <= small + 80 for small, large in zip(costs[100], costs[100_000], strict=True)), costs


def test_thousands_of_mutes_and_system_messages_are_planned_at_once() -> None:
    history = [said for _ in range(10_000) for said in (user("q" * 8), system("s"), assistant("a" * 40))]
    made = plan(history, 11_000, "oldest_first", muted=set(range(0, 30_000, 6)))
    newest = (11_000 - 10_000 - 1) // 12  # what system messages and the new message leave, in exchanges that are sent
    assert (made.fits, made.included_count) == (True, 10_000 + 2 * newest + 1)
