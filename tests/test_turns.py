"""Turns and live turns: what is stored comes back, and says what was sent."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES, Marks, TrimOptions, plan_context
from lib.context.candidates import Candidates, Summary
from lib.context.plan import ContextWindow
from lib.errors import ChatError, RateLimited
from lib.messages import Message, Usage, user
from lib.stored_turns import read_live, read_turn
from lib.tokens import CharacterEstimate
from lib.tokens.ledger import TokenLedger
from lib.turns import STALE_AFTER, LiveTurn, PlanSummary, Turn, TurnStatus
from tests.support.cases.conversations import histories, texts

TURN = Turn("id-1", "p", "r", "complete", "local", "m", "", 1.5)
SETTINGS = ChatSettings("local", "m", "Be brief.", 512, 64, "oldest_first")


def plan_read(stored: dict[str, object]) -> PlanSummary | None:
    """The plan of a turn that was stored with this one."""
    return read_turn(TURN.to_dict() | {"plan": stored}, 1).plan


def summary(
    history: list[Message], budget: int, strategy: str, instructions: str, gist: Summary | None = None
) -> PlanSummary:
    candidates = Candidates.gather(instructions, history, "new", TokenLedger(CharacterEstimate()))
    return PlanSummary.of(plan_context(candidates, ContextWindow(budget, 0), strategy, Marks(summary=gist)))


@given(histories(), st.integers(0, 300), st.sampled_from(sorted(STRATEGIES)), texts, st.booleans())
def test_a_summary_covers_every_stored_message_and_the_new_one(
    history: list[Message], budget: int, strategy: str, instructions: str, gist: bool
) -> None:
    stands_for = Summary("gist", ((0, len(history)),), "model-1", 2.5) if gist else None
    made = summary(history, budget, strategy, instructions, stands_for)
    places = [at for start, stop, _, _ in made.runs for at in range(start, stop)]
    assert places == [*range(len(history) + 1)]
    assert made.sent + made.left_out == len(history) + 1 + (made.system_tokens is not None) + (made.summary is not None)
    assert plan_read(json.loads(json.dumps(made.to_dict()))) == made


@given(histories(), texts, texts, st.none() | st.integers(0, 9), st.sampled_from(["complete", "stopped"]))
def test_a_turn_comes_back_as_it_was_stored(
    history: list[Message], prompt: str, reply: str, replaces: int | None, status: TurnStatus
) -> None:
    turn = Turn(
        "id-1",
        prompt,
        reply,
        status,
        "local",
        "m",
        "sys",
        1.5,
        summary(history, 50, "none", ""),
        {"model": "m"},
        "ab",
        Usage(input_tokens=3),
        "end",
        "req",
        12.5,
        80.0,
        replaces,
    )
    assert read_turn(json.loads(json.dumps(turn.to_dict())), 7) == replace(turn, number=7)


@given(texts, texts, st.none() | st.just(RateLimited("Too fast.", wait_seconds=3.5)))
def test_a_live_turn_comes_back_as_it_was_stored(prompt: str, text: str, error: ChatError | None) -> None:
    live = LiveTurn(
        prompt, SETTINGS, "host:1", 2.5, text=text, error=error, plan=summary([user("a")], 9, "none", "s"), via="http"
    )
    assert read_live(json.loads(json.dumps(live.to_dict())), 1.0) == replace(live, age=1.0)


def test_a_live_turn_is_interrupted_when_it_failed_or_its_owner_is_silent() -> None:
    live = LiveTurn("p", SETTINGS, "host:1", 0.0)
    assert not replace(live, age=STALE_AFTER - 0.1).interrupted
    assert replace(live, age=STALE_AFTER + 0.1).interrupted
    assert replace(live, error=ChatError("It failed.")).interrupted


def test_settings_take_over_what_is_stored_and_pass_over_what_is_not_theirs() -> None:
    stored = {"max_tokens": 99, "model": 7, "unknown": "x", "strategy": "none"}
    assert SETTINGS.updated(stored) == replace(SETTINGS, max_tokens=99, strategy="none")


def test_what_was_stored_before_there_were_options_and_summaries_still_loads() -> None:
    now = LiveTurn("p", SETTINGS, "host:1", 2.5, plan=summary([user("a")], 9, "none", "s"))
    stored = now.to_dict()
    for name in ("keep_first", "last_exchanges", "low_mark"):
        del stored["settings"][name]
    for name in ("template_tokens", "fallback", "summary", "summary_tokens"):
        del stored["plan"][name]
    assert read_live(json.loads(json.dumps(stored))) == now


def test_settings_say_what_a_person_chose_about_a_strategy() -> None:
    chosen = SETTINGS.updated({"keep_first": 3, "last_exchanges": 4.5, "low_mark": 0.6})
    assert chosen.options == TrimOptions(3, TrimOptions().last_exchanges, 0.6)
    assert SETTINGS.options == TrimOptions()


def test_usage_of_the_model_on_this_machine_is_counted_not_billed() -> None:
    turn = Turn("i", "p", "r", "complete", "local", "m", "", 0.0)
    assert turn.usage_provenance == "counted"
    assert replace(turn, provider="openai").usage_provenance == "billed"
