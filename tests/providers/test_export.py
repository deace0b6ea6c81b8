"""Exported curl commands and Python programs are really run, and send exactly the bytes that were hashed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import user
from lib.providers import ChatRequest, Provider
from lib.providers.anthropic import AnthropicProvider
from lib.providers.export import Address, as_curl, as_python
from lib.providers.openai import OpenAIProvider
from lib.settings import Endpoint
from tests.support.servers.typist import Typist

NASTY = "it's \"quoted\" `id` $(id) $HOME \\n\nBODY\nBODY_\n<b>é 日本 😀</b> 'end"
KEY = "sk-of-a-person"


def run(command: Sequence[str], text: str) -> str:
    env = {"PATH": os.environ["PATH"], "SOME_KEY": KEY, "OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    return subprocess.run([*command, text], env=env, capture_output=True, text=True, timeout=60, check=True).stdout


def providers(url: str) -> list[Provider]:
    return [
        OpenAIProvider(Endpoint("o", "openai", "O", base_url=url, key=KEY), KEY),
        AnthropicProvider(Endpoint("a", "anthropic", "A", base_url=url, key=KEY), KEY),
    ]


@pytest.mark.parametrize("which", [0, 1])
def test_python_sends_exactly_the_hashed_bytes(which: int) -> None:
    with Typist(words=2, seconds_per_word=0.0) as typist:
        provider = providers(typist.url)[which]
        sent = provider.prepare(ChatRequest("m", (user(NASTY),), 9))
        output = run([sys.executable, "-c"], as_python(provider.address(), sent.data.decode()))
        assert [hashlib.sha256(body).hexdigest() for body in typist.bodies] == [sent.sha256]
        assert "word2" in output


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_sends_exactly_the_hashed_bytes(which: int) -> None:
    with Typist(words=2, seconds_per_word=0.0) as typist:
        provider = providers(typist.url)[which]
        sent = provider.prepare(ChatRequest("m", (user(NASTY),), 9))
        output = run(["bash", "-c"], as_curl(provider.address(), sent.data.decode()))
        assert [hashlib.sha256(body).hexdigest() for body in typist.bodies] == [sent.sha256]
        assert "word2" in output


@given(st.text())
def test_no_key_is_ever_exported(text: str) -> None:
    address = Address("https://example.invalid/v1/chat/completions", "Authorization: Bearer ", "SOME_KEY")
    for snippet in (as_curl(address, text), as_python(address, text)):
        assert "SOME_KEY" in snippet
        assert KEY not in snippet


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_program_is_valid_python_for_any_text(text: str) -> None:
    compile(as_python(Address("https://example.invalid", "x-api-key: ", "K"), text), "snippet", "exec")


def test_the_default_addresses_are_the_vendors_own() -> None:
    openai, anthropic = (
        OpenAIProvider(Endpoint("o", "openai", "O"), None),
        AnthropicProvider(Endpoint("a", "anthropic", "A"), None),
    )
    assert openai.address() == Address(
        "https://api.openai.com/v1/chat/completions", "Authorization: Bearer ", "OPENAI_API_KEY"
    )
    assert anthropic.address().url == "https://api.anthropic.com/v1/messages"
    assert anthropic.address().more_headers == ("anthropic-version: 2026-10-21",)
