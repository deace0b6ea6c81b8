"""What the gauge and the next-request tab show is what the turn then sends."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.context import STRATEGIES
from lib.history.memory import InMemoryHistory
from lib.messages import assistant, user
from lib.planner import plan_next
from lib.providers.scripted import Script, ScriptedProvider
from lib.tokens import ESTIMATE
from lib.turns import LiveTurn, PlanSummary, Turn
from lib.ui.context_window.draft_settings import DraftSettings
from lib.ui.shell import next_plan, session
from lib.ui.shell.page import Page

SETTINGS = ChatSettings("openai", "m", "Be brief.", 4096, 16, "low_water")
prompts = st.text("ab 😀", min_size=1, max_size=300)
chosen = st.fixed_dictionaries(
    {
        "system_prompt": st.sampled_from(["", "Be brief.", "x" * 80]),
        "max_tokens": st.integers(40, 300),
        "strategy": st.sampled_from(sorted(STRATEGIES)),
        "keep_first": st.integers(0, 3),
        "last_exchanges": st.integers(1, 4),
        "low_mark": st.sampled_from([0.5, 0.7]),
    }
)


def filled(exchanges: list[tuple[str, str]], marks: dict[int, str]) -> tuple[ChatService, str]:
    """A session with these exchanges and with these marks on them."""
    chat, session_id = ChatService(InMemoryHistory(3600)), uuid.uuid4().hex
    for prompt, reply in exchanges:
        live = LiveTurn(prompt, SETTINGS, "test", 0.0)
        chat.store.begin(session_id, live)
        turn = Turn(live.id, prompt, reply, "complete", "openai", "m", "Be brief.", 0.0)
        chat.store.commit(session_id, live.id, [user(prompt), assistant(reply)], turn)
    for exchange, mark in marks.items():
        if exchange < len(exchanges):
            chat.store.mark(session_id, 2 * exchange, mark)  # type: ignore[arg-type]  # "pinned" or "muted"
    return chat, session_id


def finished(chat: ChatService, session_id: str) -> None:
    """Wait until the turn is over, stored or interrupted."""
    deadline = time.monotonic() + 15
    while (live := chat.live(session_id)) is not None and not live.interrupted:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def opened(chat: ChatService, session_id: str, live: LiveTurn | None = None) -> Page:
    return Page(session_id, chat, chat.store.load(session_id), chat.store.about(session_id), live)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(prompts, prompts), max_size=6),
    st.dictionaries(st.integers(0, 5), st.sampled_from(["pinned", "muted"]), max_size=3),
    chosen,
    prompts,
    st.none() | st.integers(0, 5),
)
def test_what_the_gauge_shows_is_what_the_turn_sends(
    exchanges: list[tuple[str, str]], marks: dict[int, str], changes: dict[str, object], prompt: str, edited: int | None
) -> None:
    chat, session_id = filled(exchanges, marks)
    configured = SETTINGS.updated(changes)
    chat.store.save_settings(session_id, configured.to_dict())
    replaces = 2 * edited if edited is not None and edited < len(exchanges) else None
    page = opened(chat, session_id)

    tab = DraftSettings(page, prompt=prompt)
    in_tab = plan_next(
        page.settings, tab.marks.muting(replaces), page.history, tab.prompt, chat.ledger(session_id, ESTIMATE)
    )

    provider = ScriptedProvider(Script(["a reply"]), Script(["a reply"]))
    chat.send(session_id, prompt, page.settings, lambda _: provider, replaces=replaces, over_budget_allowed=True)
    finished(chat, session_id)
    (turn,) = chat.store.turns(session_id)[len(exchanges) :]
    live = LiveTurn(prompt, page.settings, "test", 0.0, replaces=replaces)
    in_gauge = next_plan.planned(replace(page, live=live), ESTIMATE)

    assert turn.plan is not None
    if turn.summarized is None:  # a summary that is written first changes the plan, and the gauge says so beforehand
        assert turn.plan == PlanSummary.of(in_tab) == PlanSummary.of(in_gauge)
        assert list(provider.requests[-1].messages) == in_gauge.included
    else:
        assert in_gauge.fallback is not None
        assert in_gauge.fallback.is_summarized_first


def test_editing_shows_the_request_without_the_message_that_is_replaced() -> None:
    chat, session_id = filled([("first", "one"), ("second", "two")], {})
    chat.store.save_settings(session_id, SETTINGS.to_dict())
    session.set_editing(2)
    try:
        plan = next_plan.planned(opened(chat, session_id), ESTIMATE)
    finally:
        session.set_editing(None)
    assert [message.text for message in plan.included] == ["Be brief.", "first", "one", ""]
