"""The settings form: every change gives new settings, and what was typed is not lost when storing it fails."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import HistoryUnavailable
from lib.ui.components.settings_form import window_sizes
from tests.support.pages import SESSION, page


def form() -> None:
    """A page with a form that tries settings without storing them."""
    import streamlit as st

    from lib.ui.components import settings_form
    from tests.support.pages import settings

    tried = settings().updated(st.session_state.get("tried", {}))
    drawn = settings_form.open_form(
        "tried_form", tried, lambda new: st.session_state.__setitem__("tried", new.to_dict())
    )
    drawn.window_slider(settings().max_tokens)
    drawn.strategy()
    drawn.summarizer()


def test_every_change_gives_the_new_settings(chat: ChatService) -> None:
    at = AppTest.from_function(form).run()
    assert at.select_slider(key="tried_form:max_tokens").value == 4096
    at.select_slider(key="tried_form:max_tokens").set_value(256).run()
    at.selectbox(key="tried_form:strategy").select("sliding_window").run()
    at.number_input(key="tried_form:last_exchanges").set_value(3).run()
    assert not at.exception, at.exception
    tried = at.session_state["tried"]
    assert (tried["max_tokens"], tried["strategy"], tried["last_exchanges"]) == (256, "sliding_window", 3)


def test_another_writer_of_summaries_brings_its_own_model(chat: ChatService) -> None:
    at = AppTest.from_function(form).run()
    at.selectbox(key="tried_form:strategy").select("summarize").run()
    at.selectbox(key="tried_form:summary_provider").select("local").run()
    assert at.session_state["tried"]["summary_model"] == "SmolLM2-135M-Instruct"
    at.selectbox(key="tried_form:summary_provider").select("").run()
    assert at.session_state["tried"]["summary_model"] == ""


def test_a_prompt_that_could_not_be_stored_stays_in_the_form(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise HistoryUnavailable("The store is away.")

    at = page()
    monkeypatch.setattr(chat.store, "save_settings", unavailable)
    at.text_area(key=f"{SESSION}:system_prompt").set_value("Answer in rhymes.").run()
    assert at.text_area(key=f"{SESSION}:system_prompt").value == "Answer in rhymes."
    assert any("The change was not stored." in warning.value for warning in at.warning)
    assert chat.store.about(SESSION).settings["system_prompt"] == "Be brief."


def test_the_slider_offers_the_sizes_in_force_and_the_models_own() -> None:
    assert window_sizes(100, (80, 120)) == [64, 80, 96, 100, 120]
    assert window_sizes(128_000, (200_000,))[-3:] == [98_304, 128_000, 200_000]
