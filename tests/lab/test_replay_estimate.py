"""What a replay takes is known before it starts: only the questions that it sends count, and the most is a bound."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from lib.chat.replays import questions_of
from lib.chat_settings import ChatSettings
from lib.lab.replay_estimate import estimate
from lib.messages import Message, assistant, user
from lib.pricing.model import Model, Rates
from lib.tokens import ESTIMATE

SETTINGS = ChatSettings("openai", "m", "Be brief.", 4096, 512, "oldest_first")
RATE = ((0, Decimal(1)),)
MODEL = Model("m", "openai", "M", 8192, 1024, Rates(RATE, RATE, RATE, RATE), "test")
texts = st.text("ab ", max_size=30)
histories = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), texts), max_size=12)


@given(histories, st.sets(st.integers(0, 11)), st.sampled_from(["oldest_first", "none", "low_water"]))
def test_it_counts_the_questions_that_a_replay_sends(history: list[Message], muted: set[int], strategy: str) -> None:
    expected = estimate(history, muted, replace(SETTINGS, strategy=strategy), ESTIMATE, MODEL)
    assert expected.requests == len(questions_of(history, muted))
    assert expected.cost is not None
    assert expected.most_cost is not None
    assert (expected.sent > 0) == (expected.requests > 0)


def test_the_most_is_a_reply_of_the_whole_reserve_each_time_within_the_window() -> None:
    history = [user("a" * 40), assistant("b" * 40), user("c" * 40), assistant("d" * 40)]
    roomy = estimate(history, set(), SETTINGS, ESTIMATE, MODEL)
    assert roomy.cost is not None
    assert roomy.most_cost is not None
    assert roomy.most_cost - roomy.cost > Decimal(512 + 2 * 400) / 1_000_000
    tight = estimate(history, set(), replace(SETTINGS, max_tokens=600), ESTIMATE, MODEL)
    assert tight.most_cost is not None
    assert tight.most_cost <= Decimal(2 * 88 + 2 * 512) / 1_000_000


def test_without_a_price_there_is_no_cost_and_what_does_not_fit_is_counted() -> None:
    history = [user("a" * 4000), assistant("b"), user("c")]
    unknown = estimate(history, set(), replace(SETTINGS, max_tokens=600, strategy="none"), ESTIMATE, None)
    assert (unknown.cost, unknown.most_cost, unknown.unfit) == (None, None, 2)
