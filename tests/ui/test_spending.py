"""What the chat page says about money: before a message, after it, near a cap, and past it."""

from __future__ import annotations

from decimal import Decimal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.analysis.next_cost import next_cost
from lib.chat.service import ChatService
from lib.lessons.library import find_lessons
from lib.messages import Usage, user
from lib.pricing.model import Model, Rates
from lib.ui.chat import spending
from lib.ui.context_window import break_rule
from lib.ui.lessons import runs
from lib.ui.lessons import state as lessons
from lib.ui.shell import services
from lib.ui.shell.next_plan import preview
from lib.ui.shell.page import load
from tests.support.app.pages import SESSION, exchange, page, settings
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

FULL, CHEAP = ((0, Decimal(100)),), ((0, Decimal(10)),)
MODEL = Model("typist-1", "other", "Typist", 4_096, 512, Rates(FULL, CHEAP, FULL, FULL), "a list")
"""USD 0.0001 a token, a tenth of it from the cache."""


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch, chat: ChatService) -> ChatService:
    """The app with a price for the typist's model."""
    monkeypatch.setattr(services, "find_model", lambda provider, model: MODEL)
    st.cache_resource.clear()
    service = services.chat()
    service.store.save_settings(SESSION, settings().to_dict())
    return service


def captions(at: AppTest) -> str:
    return "\n".join(each.value for each in at.caption)


def test_the_strip_says_what_the_next_message_costs_at_most(priced: ChatService) -> None:
    at = page()
    plan = preview(load(SESSION))
    assert plan is not None
    assert f"costs at most \\${(plan.input_tokens + 512) * Decimal('0.0001'):.3f}" in captions(at)


def test_without_a_price_that_is_said(chat: ChatService) -> None:
    assert "no price known" in captions(page())


def test_the_cached_cost_counts_only_what_is_the_same_and_was_read_just_now(priced: ChatService) -> None:
    long = "many words " * 600
    exchange(priced, long, "Yes.")
    plan = preview(load(SESSION))
    (turn,) = priced.store.turns(SESSION)
    assert plan is not None
    reused = plan.candidates.between(0, 2)  # the system prompt and the message that was sent then
    found = next_cost(plan, settings(), MODEL, turn, now=turn.started_at + 10)
    assert found is not None
    assert found.reused == reused
    assert found.cached == found.most - reused * Decimal("0.00009")
    for settings_now, now in (
        (settings(), turn.started_at + 3_600),  # too long ago
        (settings(model="another"), turn.started_at + 10),
    ):
        found = next_cost(plan, settings_now, MODEL, turn, now)
        assert found is not None
        assert found.cached is None


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(1_000, 800, 0, 10), "\\$0.029, 80 % reused, saved \\$0.072"),
        (Usage(1_000, 0, 0, 10), "\\$0.10, nothing reused"),
        (Usage(1_000, None, None, 10), "\\$0.10, cache not reported"),
        (Usage(), "cost not reported"),
    ],
)
def test_the_line_under_a_reply_says_what_it_cost(priced: ChatService, usage: Usage, words: str) -> None:
    exchange(priced, "one", "two", usage=usage)
    assert words in captions(page())


def test_near_a_cap_people_are_warned_and_past_it_nothing_is_sent(
    priced: ChatService, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist.reads = 900  # $0.09 each time
    at = page()
    at.session_state["spending"] = True  # open
    at.run()
    at.number_input(key=f"cap:{spending.CHAT}:{SESSION}").set_value(0.12).run()
    assert not at.exception
    at.chat_input(key="prompt").set_value("Hello").run()
    at.chat_input(key="prompt").set_value("Hello again").run()
    assert len(typist.requests) == 1
    live = priced.store.live(SESSION)
    assert live is not None
    assert live.prompt == "Hello again", "the message is kept"
    assert live.error is not None
    assert live.error.what.startswith("The spending cap for this chat is $0.12.")
    assert any(
        live.error.what.replace("$", "\\$") in str(each.value) for each in [*at.error, *at.warning, *at.markdown]
    )
    at.number_input(key=f"cap:{spending.CHAT}:{SESSION}").set_value(0.11).run()
    assert "This chat has used 82 % of its spending cap: \\$0.090 of \\$0.11." in captions(at)


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch, chat: ChatService, priced: ChatService) -> ChatService:
    """The same, on an installation whose cap for a day is too low for any request."""
    monkeypatch.setenv("WINDOWSEAT_DAY_CAP", "0.0001")
    st.cache_resource.clear()
    service = services.chat()
    service.store.save_settings(SESSION, settings().to_dict())
    exchange(service, "My cat is called Ada.", "A fine name.")
    return service


def test_measuring_sends_nothing_past_the_cap_of_a_day(spent: ChatService, typist: Typist) -> None:
    at = page("pages/trim_lab.py", state={"lab_tab": "What does trimming cost?"})
    at.button(key="measure").click().run()
    assert not at.exception, at.exception
    (result,) = at.session_state[f"timed:{SESSION}"]
    assert result.error["kind"] == "SpendingCapReached"
    assert typist.requests == []


def test_a_probe_asks_nothing_past_the_cap_of_a_day(spent: ChatService, typist: Typist) -> None:
    at = page("pages/trim_lab.py", state={"lab_tab": "Does the model still know?"})
    at.button(key="probe_start").click().run()
    probe = next(iter(services.probes().values()))
    wait_until(probe.done.is_set)
    errors = [answer.error for answer in probe.results]
    assert errors
    assert {None if error is None else error["kind"] for error in errors} <= {"SpendingCapReached", "ContextOverflow"}
    assert typist.requests == []


def test_a_broken_request_is_not_sent_past_the_cap_of_a_day(spent: ChatService, typist: Typist) -> None:
    chosen = settings()
    provider = services.provider_of(chosen, services.key_for(chosen.provider))
    refused, words = break_rule.answer(chosen, [user("Hello")], provider)
    assert refused
    assert "$0.0001" in words
    assert typist.requests == []


def test_a_lesson_asks_nothing_past_the_cap_of_a_day(spent: ChatService, typist: Typist) -> None:
    lesson = find_lessons().lessons[0]
    at = page("pages/lessons.py", state={lessons.STEP: lessons.WATCH, lessons.SOURCE: lessons.LIVE}, lesson=lesson.id)
    at.button(key="lesson_run").click().run()
    (run,) = runs._runs().values()
    wait_until(lambda: not run.is_running)
    assert {each.error.kind if each.error else "" for each in run.outcomes()} == {"SpendingCapReached"}
    at.run()
    assert not at.exception, at.exception
    assert any("$0.0001" in warning.value for warning in at.warning)
    assert typist.requests == []
