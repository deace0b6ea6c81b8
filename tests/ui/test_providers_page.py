"""The page of endpoints: looking asks nobody, a test says what a server is, and a probe is sent only when asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.access import Person
from lib.chat.service import ChatService
from lib.errors import ChatError, MissingKey
from lib.settings.known_servers import KNOWN_SERVERS, OTHER
from lib.ui.chat import actions
from lib.ui.providers import added, own
from lib.ui.shell import services, session_settings
from lib.ui.shell.http_routes import AppConversations
from tests.support.app.pages import SESSION, page
from tests.support.servers.machine_servers import LMStudioServer, OllamaServer
from tests.support.servers.typist import Typist
from tests.support.waiting import wait_until

PATH = "pages/providers.py"


@pytest.fixture
def ollama() -> Iterator[OllamaServer]:
    with OllamaServer(window=2048) as server:
        yield server


def fill(at: AppTest, server: str, **values: str) -> AppTest:
    at.selectbox(key="new_endpoint:server").select(server).run()
    for name, value in values.items():
        at.text_input(key=f"new_endpoint:{name}").set_value(value)
    return at.button(key="add_endpoint").click().run()


def name_of(at: AppTest) -> str:
    """The endpoint that was added last."""
    names: list[str] = at.session_state["added_endpoints"]
    return names[-1]


def words(at: AppTest) -> str:
    return "\n".join(each.value for kind in (at.markdown, at.warning, at.caption, at.error) for each in kind)


def test_looking_asks_nobody_and_stores_nothing(chat: ChatService, typist: Typist) -> None:
    before = chat.store.about(SESSION)
    at = page(PATH)
    assert not at.exception, at.exception
    assert [button.key for button in at.button if (button.key or "").startswith("test:")] == [
        "test:local",
        "test:openai",
        "test:anthropic",
    ]
    assert typist.requests == []
    assert chat.store.about(SESSION) == before
    assert "sk-secret-in-tests" not in words(at)
    assert all(field.value != "sk-secret-in-tests" for field in at.text_input)


@pytest.mark.parametrize("name", list(KNOWN_SERVERS))
def test_each_known_server_has_its_usual_address(chat: ChatService, name: str) -> None:
    at = page(PATH)
    at.selectbox(key="new_endpoint:server").select(name).run()
    assert at.text_input(key="new_endpoint:url").value == KNOWN_SERVERS[name].base_url
    assert not at.exception, at.exception


def test_a_server_is_added_tested_probed_and_removed(chat: ChatService, ollama: OllamaServer) -> None:
    at = fill(page(PATH), "ollama", url=ollama.url)
    name = name_of(at)
    assert ollama.asked == []  # adding sends nothing
    ollama.loaded = ["gemma3:4b"]
    at.button(key=f"test:{name}").click().run()
    said = words(at)
    assert "Ollama 0&#46;13&#46;1" in said
    assert "2 models" in said
    assert "2,048 tokens, of the loaded model, as Ollama says" in said
    assert ollama.requests == []
    at.session_state[f"probe_panel:{name}"] = True
    at.run()
    assert "No price is known for it" in words(at)
    assert ollama.requests == []  # it asks first
    at.button(key=f"probe:{name}").click().run()
    assert "It read all of it and reports its usage" in words(at)
    assert len(ollama.requests) == 1
    assert len(at.radio(key=f"probe_size:{name}").options) == 2
    ollama.window = 100
    at.button(key=f"probe:{name}").click().run()
    assert "It read less than it was sent, and said nothing" in words(at)
    at.button(key=f"remove:{name}").click().run()
    assert not at.exception, at.exception
    assert not [button for button in at.button if button.key == f"test:{name}"]


def test_a_chat_goes_to_an_added_server_with_the_window_that_it_said(chat: ChatService, ollama: OllamaServer) -> None:
    at = fill(page(PATH), "ollama", url=ollama.url, model="qwen3:8b")
    name = name_of(at)
    chosen = session_settings.defaults(name)
    assert (chosen.model, chosen.max_tokens) == ("qwen3:8b", 4096)
    chat.store.save_settings(SESSION, chosen.to_dict())
    at = page(state={"added_endpoints": [name]})
    assert at.selectbox(key=f"{SESSION}:provider").value == name
    at.chat_input(key="prompt").set_value("The code word is marigold-1.").run()
    wait_until(lambda: bool(chat.store.turns(SESSION)))
    assert not at.exception, at.exception
    assert ollama.requests[0]["model"] == "qwen3:8b"
    assert chat.store.turns(SESSION)[0].usage.input_tokens


def test_a_typed_key_is_sent_and_kept_in_this_browser_session_only(chat: ChatService, ollama: OllamaServer) -> None:
    at = fill(page(PATH), "other", url=ollama.url, key="sk-mine-1")
    name = name_of(at)
    assert at.session_state[f"key:{name}"] == "sk-mine-1"
    assert at.session_state["new_endpoint:key"] == ""
    assert "sk-mine-1" not in repr(dict(added.endpoints()))
    assert added.endpoints()[name].key is None
    again = page(PATH)
    assert not [button for button in again.button if button.key == f"test:{name}"]


def test_a_key_can_be_named_from_the_environment(
    chat: ChatService, ollama: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_OWN_API_KEY", "sk-env-1")
    at = fill(page(PATH), "other", url=ollama.url, variable="MY_OWN_API_KEY")
    assert services.endpoint(name_of(at)).key == "sk-env-1"
    assert "sk-env-1" not in words(at)
    at = fill(page(PATH), "other", url=ollama.url, variable="REDIS_URL")
    assert "no name of an environment variable for a key" in words(at)


def test_a_known_key_belongs_to_the_endpoint_that_is_there_already(chat: ChatService) -> None:
    at = fill(page(PATH), "anthropic", key="sk-ant-mine")
    assert "added_endpoints" not in at.session_state
    assert at.session_state["key:anthropic"] == "sk-ant-mine"


def test_where_several_people_use_the_app_they_add_vendors_only(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors = {name: Person("visitors", name) for name in ("ann", "bob")}
    monkeypatch.setattr(services, "asking", lambda: visitors["ann"])
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-owner")
    with pytest.raises(ChatError, match="vendors' own addresses"):
        own.add(OTHER, "http://127.0.0.1:6379", "", 0, "", "")
    with pytest.raises(ChatError, match="person who runs the app"):
        own.add(KNOWN_SERVERS["mistral"], "https://api.mistral.ai/v1", "", 0, "", "MISTRAL_API_KEY")
    anns = own.add(KNOWN_SERVERS["mistral"], "https://api.mistral.ai/v1", "m", 0, "", "")
    monkeypatch.setattr(services, "asking", lambda: visitors["bob"])
    assert own.add(KNOWN_SERVERS["mistral"], "https://api.mistral.ai/v1", "x", 0, "", "").name != anns.name
    assert services.endpoint(anns.name).model == "m"


def test_what_an_admin_added_answers_in_nobody_elses_chats(
    chat: ChatService, ollama: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, ann = Person("accounts", "account-1", sees_all=True), Person("accounts", "account-2")
    monkeypatch.setenv("MY_OWN_API_KEY", "sk-env-1")
    monkeypatch.setattr(services, "asking", lambda: admin)
    endpoint = own.add(OTHER, ollama.url, "qwen3:8b", 0, "", "MY_OWN_API_KEY")
    settings = session_settings.defaults(endpoint.name)
    assert actions.opener(endpoint.name)(settings).name == endpoint.name
    assert services.key_for(endpoint.name) == "sk-env-1"
    monkeypatch.setattr(services, "asking", lambda: ann)
    assert services.key_for(endpoint.name) is None
    with pytest.raises(MissingKey, match="added by somebody else"):
        services.asked_counter(settings)
    for open_provider in (actions.opener(endpoint.name), actions.opener("local"), AppConversations().open_provider):
        with pytest.raises(MissingKey, match="added by somebody else"):
            open_provider(settings)
    assert ollama.requests == []


def test_what_cannot_be_added_is_said_in_words(chat: ChatService) -> None:
    at = fill(page(PATH), "azure")
    assert "YOUR-RESOURCE-NAME" in words(at)
    assert "Nothing was added or sent." in words(at)
    assert "added_endpoints" not in at.session_state


def test_a_server_that_is_away_is_said_in_words(chat: ChatService, ollama: OllamaServer) -> None:
    at = fill(page(PATH), "other", url="http://127.0.0.1:9/v1")
    at.button(key=f"test:{name_of(at)}").click().run()
    assert not at.exception, at.exception
    assert "cannot be reached" in words(at)


def test_what_answers_on_this_machine_is_offered_as_found(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    with LMStudioServer() as server:
        monkeypatch.setenv("WINDOWSEAT_LOCAL_SERVERS", server.url)
        st.cache_resource.clear()
        services.local_servers().look()
        at = page(PATH)
        assert "found on this machine" in words(at)
        (name,) = services.local_servers().models()
        assert own.label(own.offered(), name).endswith(", found on this machine")
        assert server.requests == []
