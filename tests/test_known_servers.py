"""Endpoints that a person adds: usual addresses, names that last, and no way to reach what they must not reach."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ChatError
from lib.settings.known_servers import (
    AZURE_RESOURCE,
    KNOWN_SERVERS,
    OTHER,
    added_before,
    added_endpoint,
    key_in_environment,
    refuse_unless_vendor,
    usable_url,
)

OPENROUTER = KNOWN_SERVERS["openrouter"]


@pytest.mark.parametrize("server", [each for each in KNOWN_SERVERS.values() if AZURE_RESOURCE not in each.base_url])
def test_every_known_server_can_be_added_as_it_is(server: object) -> None:
    known = KNOWN_SERVERS[getattr(server, "name", "")]
    endpoint = added_endpoint(known, known.base_url, model=" m ")
    assert (endpoint.name, endpoint.label, endpoint.model) == (known.name, known.label, "m")
    assert endpoint.needs_key is bool(known.key_variable)


def test_azure_needs_the_name_of_a_resource() -> None:
    azure = KNOWN_SERVERS["azure"]
    with pytest.raises(ChatError, match=AZURE_RESOURCE):
        added_endpoint(azure, azure.base_url)
    mine = added_endpoint(azure, azure.base_url.replace(AZURE_RESOURCE, "mine"))
    assert mine.label == "Azure OpenAI at mine.openai.azure.com"


def test_names_last_and_tell_addresses_people_and_keys_apart() -> None:
    url = "https://gateway.example.org/v1"
    names = {
        added_endpoint(OTHER, url).name,
        added_endpoint(OTHER, f"{url}/").name,
        added_endpoint(OTHER, url, model="another").name,
    }
    assert len(names) == 1
    others = {added_endpoint(OTHER, url, whose=whose).name for whose in ("ann", "bob", "MY_API_KEY")}
    assert len(others | names) == 4
    taken = added_endpoint(OPENROUTER, OPENROUTER.base_url, taken={"openrouter"})
    assert taken.name != "openrouter"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "openrouter.ai/api",
        "ftp://x/v1",
        "http://",
        "http://[::1",
        "http://x:99999999/v1",
        "http://x y/v1",
        "https://user:key@x/v1",
        "https://x/v1?key=1",
        "https://x/v1#a",
        f"https://{'x' * 600}/v1",
        "https://exämple.org/v1",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(ChatError):
        usable_url(url)


@given(st.text(max_size=60))
def test_no_text_makes_the_check_fail_in_another_way(text: str) -> None:
    for url in (text, f"https://{text}"):
        with suppress(ChatError):
            assert usable_url(url).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434/v1",
        "https://169.254.169.254/latest",
        "http://api.openai.com/v1",
        "https://api.openai.com:8443/v1",
        "https://api.openai.com.example.org/v1",
        "https://notopenai.azure.com/v1",
        "https://127.0.0.1%00.openai.azure.com/v1",
        "https://example.org\\.openai.azure.com/v1",
    ],
)
def test_people_who_do_not_run_the_app_add_only_vendors(url: str) -> None:
    with pytest.raises(ChatError, match="vendors' own addresses"):
        refuse_unless_vendor(url)
    refuse_unless_vendor("https://mine.openai.azure.com/openai/v1")
    refuse_unless_vendor("https://api.mistral.ai/v1")


def test_only_variables_for_keys_are_read() -> None:
    environment = {"OPENROUTER_API_KEY": " sk-or-1 ", "REDIS_URL": "redis://:secret@x", "EMPTY_API_KEY": " "}
    environment["WINDOWSEAT_API_TOKEN"] = "secret"
    assert key_in_environment("OPENROUTER_API_KEY", environment) == "sk-or-1"
    for name in (
        "REDIS_URL",
        "EMPTY_API_KEY",
        "MISSING_API_KEY",
        "",
        "PATH",
        "openrouter_api_key",
        "WINDOWSEAT_API_TOKEN",
    ):
        with pytest.raises(ChatError) as refused:
            key_in_environment(name, environment)
        assert "secret" not in f"{refused.value.to_dict()}"


def test_a_chat_finds_its_server_again_after_a_restart_or_says_what_to_do() -> None:
    assert added_before("openrouter") == added_endpoint(OPENROUTER, OPENROUTER.base_url)
    custom = added_before(added_endpoint(OTHER, "https://gateway.example.org/v1").name)
    assert custom is not None
    assert "must be added again" in custom.label
    assert (custom.needs_key, custom.base_url) == (True, "https://not-known.invalid/v1")
    for name in ("local", "azure", "mine", "mine-01234567", "other-xyz", "", "-01234567"):
        assert added_before(name) is None


def test_a_key_is_in_no_repr() -> None:
    assert "sk-or-1" not in repr(added_endpoint(OPENROUTER, OPENROUTER.base_url, key="sk-or-1"))
