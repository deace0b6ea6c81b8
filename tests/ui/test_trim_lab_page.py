"""The trim lab's page: every tab on the example and on a stored conversation; the probe through a real server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.analysis import requests
from lib.chat.service import ChatService
from lib.context import STRATEGIES, plan_context
from lib.context.plan import ContextPlan
from lib.lab.example import EXAMPLE
from lib.lab.facts import suggest_facts
from lib.tokens.ledger import TokenLedger
from lib.ui.components import cliff_canvas
from lib.ui.shell import services
from lib.ui.trim_lab import facts
from lib.ui.trim_lab.conversation import Lab
from tests.support.pages import SESSION, exchange, page, settings
from tests.support.typist import Typist
from tests.support.waiting import wait_until as wait

PATH = "pages/trim_lab.py"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    given: dict[str, Any] = {}

    def component(data: Mapping[str, Any], key: str) -> None:
        given[key] = data

    monkeypatch.setattr(cliff_canvas, "_COMPONENT", component)
    return given


def opened(tab: str, **state: object) -> AppTest:
    at = page(PATH, state={"lab_tab": tab, **state})
    assert not at.exception, at.exception
    return at


def stored(chat: ChatService) -> None:
    """A conversation that outgrows its window."""
    exchange(chat, "My sister Ines lives in Lisbon.", "Noted.")
    for n in range(6):
        exchange(chat, f"question {n} " + "words that fill the window " * 6, f"answer {n} " + "more words " * 6)
    chat.store.save_settings(SESSION, settings(max_tokens=320, reserved_for_reply=64).to_dict())


@pytest.mark.parametrize("tab", ["Cliff map", "Bake-off", "Recall probe", "What trimming costs"])
def test_every_tab_works_on_the_example_and_sends_nothing(
    chat: ChatService, drawn: dict[str, Any], typist: Typist, tab: str
) -> None:
    at = opened(tab)
    assert any(f"**{len(EXAMPLE)} messages" in markdown.value for markdown in at.markdown)
    assert typist.requests == []
    assert list(chat.store.load(SESSION)) == []


def test_the_cliff_map_holds_every_message_at_every_budget(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    at = opened("Cliff map")
    data = drawn[f"cliff:{SESSION}"]
    assert data["size"] == 14
    for row in data["rows"]:
        assert [at for start, stop, _ in row["runs"] for at in range(start, stop)] == list(range(14))
    assert data["messages"][0]["fact"]
    assert data["messages"][0]["text"] == "My sister Ines lives in Lisbon."
    assert any("The first message is sent from" in markdown.value for markdown in at.markdown)
    everything = data["rows"][-1]
    kinds = {fate["key"]: fate["sent"] for fate in data["fates"]}
    assert all(kinds[kind] for _, _, kind in everything["runs"])


def test_the_map_follows_the_strategy_and_its_options(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    at = opened("Cliff map")
    at.selectbox(key=f"lab_cliff:{SESSION}:strategy").select("sliding_window").run()
    at.number_input(key=f"lab_cliff:{SESSION}:last_exchanges").set_value(2).run()
    assert {kind for _, _, kind in drawn[f"cliff:{SESSION}"]["rows"][-1]["runs"]} == {"outside_window", "recent"}
    assert chat.store.about(SESSION).settings["strategy"] == "oldest_first"


def test_a_rerun_does_not_move_the_line(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    opened("Cliff map")
    first = drawn[f"cliff:{SESSION}"]["stamp"]
    opened("Cliff map")
    assert drawn[f"cliff:{SESSION}"]["stamp"] == first


def test_the_bake_off_compares_strategies_and_windows(chat: ChatService) -> None:
    stored(chat)
    at = opened("Bake-off", **{"table:bake-off": True})
    totals = at.dataframe[-1].value
    assert list(totals["strategy"]) == [
        STRATEGIES[name].label for name in ("low_water", "oldest_first", "head_and_tail", "sliding_window")
    ]
    assert (totals["uncached"] == totals["tokens sent"] - totals["from the cache"]).all()
    table = at.dataframe[0].value
    assert "lost at turn" in table.iloc[0][STRATEGIES["oldest_first"].label]
    at.multiselect(key=f"bake_windows:{SESSION}").set_value([320, 1024]).run()
    assert any("8 combinations; the first 6" in caption.value for caption in at.caption)
    at.multiselect(key=f"bake_strategies:{SESSION}").set_value(["none"]).run()
    at.multiselect(key=f"bake_windows:{SESSION}").set_value([320]).run()
    assert any("at least two" in info.value for info in at.info)


def test_the_strips_show_the_turn_that_is_chosen(chat: ChatService) -> None:
    stored(chat)
    at = opened("Bake-off")
    at.slider(key=f"bake_turn:{SESSION}").set_value(1).run()
    assert not any("left out" in caption.value for caption in at.caption if "of 320" in caption.value)


def test_moving_the_turn_slider_replays_nothing(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(chat)
    at = opened("Bake-off")
    plans: list[str] = []

    def counted(*args: Any, **kwargs: Any) -> ContextPlan:
        plans.append(args[2])
        return plan_context(*args, **kwargs)

    monkeypatch.setattr(requests, "plan_context", counted)
    at.slider(key=f"bake_turn:{SESSION}").set_value(1).run()
    assert plans == []
    at.multiselect(key=f"bake_strategies:{SESSION}").set_value(["none", "sliding_window"]).run()
    assert set(plans) == {"none", "sliding_window"}


def test_what_trimming_costs_is_said_in_numbers(chat: ChatService) -> None:
    stored(chat)
    at = opened("What trimming costs")
    assert any("times as many uncached tokens" in markdown.value for markdown in at.markdown)


def test_measuring_sends_both_strategies_and_stores_nothing(chat: ChatService, typist: Typist) -> None:
    stored(chat)
    before = list(chat.store.load(SESSION))
    at = opened("What trimming costs")
    at.button(key="measure").click().run()
    assert len(typist.requests) == 12
    assert any("First token after" in markdown.value for markdown in at.markdown)
    assert list(chat.store.load(SESSION)) == before


def test_the_probe_says_what_it_takes_then_asks_scores_and_shows_every_answer(
    chat: ChatService, typist: Typist
) -> None:
    stored(chat)
    at = opened("Recall probe")
    said = next(markdown.value for markdown in at.markdown if "requests," in markdown.value)
    assert typist.requests == []
    at.button(key="probe_start").click().run()
    probe = next(iter(services.probes().values()))
    wait(probe.done.is_set)
    at.run()
    assert f"**{len([question for question in probe.questions if question.fits])} requests," in said
    assert len(typist.requests) == len([question for question in probe.questions if question.fits])
    grid = at.dataframe[-1].value
    assert grid.columns[-2:].tolist() == ["everything", "nothing"]
    assert grid.iloc[0]["nothing"] == "✗ made up (not sent)"
    assert any("For comparison: with everything sent 0 of" in markdown.value for markdown in at.markdown)
    assert len(chat.store.load(SESSION)) == 14


def test_a_probe_can_be_stopped(chat: ChatService, typist: Typist) -> None:
    stored(chat)
    typist.words, typist.seconds_per_word = 200, 0.02
    at = opened("Recall probe")
    at.button(key="probe_start").click().run()
    probe = next(iter(services.probes().values()))
    wait(lambda: typist.requests)
    at.button(key="probe_stop").click().run()
    assert probe.done.is_set()
    assert any("stopped before" in info.value for info in at.info)


def test_facts_can_be_changed_and_nonsense_is_passed_over(chat: ChatService) -> None:
    stored(chat)
    history = chat.store.load(SESSION)
    page_now = type("P", (), {"chat": chat, "session_id": SESSION})()
    lab = Lab(page_now, history, None, (), ())  # type: ignore[arg-type]  # only the history is looked at
    rows: list[dict[str, object]] = [
        {"message": 1, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": 1, "question": "Where?", "answer": "Lisbon", "ask": False},
        {"message": 99, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": None, "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": float("nan"), "question": "Where?", "answer": "Lisbon", "ask": True},
        {"message": 1, "question": " ", "answer": "Lisbon", "ask": True},
    ]
    assert [(fact.index, fact.answer) for fact in facts.facts_of(rows, lab)] == [(0, "Lisbon")]


def test_another_conversation_is_opened_from_the_list(chat: ChatService, drawn: dict[str, Any]) -> None:
    stored(chat)
    exchange(chat, "another talk", "yes", session_id="other-session")
    at = opened("Cliff map")
    at.selectbox(key=f"lab_session:{SESSION}").select("other-session").run()
    assert at.query_params["session"] == "other-session"
    assert drawn["cliff:other-session"]["size"] == 2


def test_the_example_outgrows_its_window_and_tells_facts() -> None:
    assert EXAMPLE[0].role == "user"
    assert [message.role for message in EXAMPLE] == ["user", "assistant"] * (len(EXAMPLE) // 2)
    assert len({fact.index for fact in suggest_facts(EXAMPLE)}) >= 4
    from lib.tokens.model_counters import counter_for

    assert TokenLedger(counter_for("openai", "gpt-5")).sync(EXAMPLE).sums[-1] > 1024


def test_nothing_is_put_on_the_page_as_html() -> None:
    assert "innerHTML" not in Path(cliff_canvas.__file__).with_name("view.js").read_text()
