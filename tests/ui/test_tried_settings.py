"""Settings that are tried on a page are part of its address, and nonsense in an address is passed over."""

from __future__ import annotations

import pytest

from lib.chat.service import ChatService
from lib.ui.context_window import tabs
from tests.support.app.pages import SESSION, exchange, page, settings


@pytest.fixture(autouse=True)
def conversation(chat: ChatService) -> None:
    chat.store.save_settings(SESSION, settings().to_dict())
    exchange(chat, "Hello", "Hi.")


def test_a_change_goes_into_the_address_and_the_address_opens_it_again() -> None:
    at = page("pages/context_window.py", state={"context_window_tab": tabs.NEXT})
    field = next(each for each in at.selectbox if each.label == "When the window is full")
    field.set_value("sliding_window").run()
    assert at.query_params["strategy"] == "sliding_window"
    again = page(
        "pages/context_window.py", state={"context_window_tab": tabs.NEXT}, strategy="sliding_window", last="7"
    )
    assert next(each for each in again.selectbox if each.label == "When the window is full").value == "sliding_window"
    assert next(each for each in again.number_input if each.label == "Last exchanges to send").value == 7


def test_the_trim_lab_opens_with_the_strategy_of_the_link() -> None:
    at = page("pages/trim_lab.py", strategy="head_and_tail", keep_first="3")
    assert next(each for each in at.selectbox if each.label == "When the window is full").value == "head_and_tail"
    assert next(each for each in at.number_input if each.label == "First exchanges to keep").value == 3


@pytest.mark.parametrize("nonsense", ["nope", "-1", "1e9", "٣", "9" * 40, ""])
def test_nonsense_in_an_address_is_passed_over(nonsense: str) -> None:
    parameters = dict.fromkeys(("strategy", "window", "reserve", "trim_to", "keep_first", "last"), nonsense)
    for path, state in (("pages/context_window.py", {"context_window_tab": tabs.NEXT}), ("pages/trim_lab.py", {})):
        at = page(path, state=state, **parameters)
        assert not at.exception, at.exception
        chosen = next(each for each in at.selectbox if each.label == "When the window is full").value
        assert chosen == settings().strategy
