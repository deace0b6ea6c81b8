"""The settings form: every change gives new settings, and what was typed is not lost when storing it fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.chat.service import ChatService
from lib.errors import HistoryUnavailable, ProviderUnavailable
from lib.ui.components import local_model_note
from lib.ui.components.settings_form import window_sizes
from lib.ui.shell import services, session_settings
from tests.support.app.pages import SESSION, page, settings
from tests.support.servers.typist import Typist


def form() -> None:
    """A page with a form that tries settings without storing them."""
    import streamlit as st

    from lib.ui.components import settings_form
    from tests.support.app.pages import settings

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


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    """A model server on this machine, which the app looks for."""
    with Typist(words=3, seconds_per_word=0.0) as server:
        monkeypatch.setenv("WINDOWSEAT_LOCAL_SERVERS", server.url)
        yield server


def test_a_server_on_this_machine_can_be_chosen_with_its_models(found: Typist, chat: ChatService) -> None:
    services.local_servers().look()
    at = page()
    (name,) = services.settings().local_servers
    assert at.selectbox(key=f"{SESSION}:provider").options[-1].endswith("on this machine")
    at.selectbox(key=f"{SESSION}:provider").select(name).run()
    assert not at.exception, at.exception
    assert at.selectbox(key=f"{SESSION}:model").options == ["typist-1"]
    stored = chat.store.about(SESSION).settings
    assert (stored["provider"], stored["model"], stored["max_tokens"]) == (name, "typist-1", 4096)
    at.chat_input(key="prompt").set_value("Hello").run()
    assert found.requests[0]["messages"][-1] == {"role": "user", "content": "Hello"}
    assert chat.store.turns(SESSION)[0].provider == name


def test_a_chat_keeps_its_server_when_that_is_gone(found: Typist, chat: ChatService) -> None:
    (name,) = services.settings().local_servers
    chat.store.save_settings(SESSION, settings().updated({"provider": name, "model": "m"}).to_dict())
    found.__exit__()
    services.local_servers().look()
    at = page()
    assert not at.exception, at.exception
    assert at.selectbox(key=f"{SESSION}:provider").value == name
    at.chat_input(key="prompt").set_value("Hello").run()
    live = chat.live(SESSION)
    assert live is not None
    assert isinstance(live.error, ProviderUnavailable)  # it was not sent to another model instead


def test_the_settings_say_what_the_small_model_is_and_how_to_get_a_better_one(chat: ChatService) -> None:
    chat.store.save_settings(SESSION, session_settings.defaults("local").to_dict())
    at = page(state={local_model_note.PANEL: True})
    assert not at.exception, at.exception
    assert [caption.value for caption in at.caption].count(local_model_note.PACKAGED) == 1
    assert "WINDOWSEAT_LOCAL_MODEL=" in at.code[0].value


def test_a_search_finds_a_server_that_was_started_later(found: Typist, chat: ChatService) -> None:
    chat.store.save_settings(SESSION, session_settings.defaults("local").to_dict())
    at = page(state={local_model_note.PANEL: True})
    at.button(key="look_again").click().run()
    assert any("choose it as the provider above" in text.value for text in at.markdown)


@pytest.mark.parametrize("path", ["app.py", "pages/tokens.py", "pages/threads.py"])
@pytest.mark.parametrize("session_id", [SESSION, ""])
def test_a_setting_that_cannot_be_used_is_explained_on_every_page(
    monkeypatch: pytest.MonkeyPatch, path: str, session_id: str
) -> None:
    monkeypatch.setenv("WINDOWSEAT_LOCAL_MODEL", __file__)
    st.cache_resource.clear()
    at = page(path, session_id)
    assert not at.exception, at.exception
    assert "that is no GGUF file" in at.error[0].value
    st.cache_resource.clear()
