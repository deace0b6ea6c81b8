"""Every body our adapters send, against OpenAI's own OpenAPI document, which a server nobody here wrote enforces.

It holds nothing: a run stays queued for ever, an answer is made up. What counts is that no body is refused, and that a body
that breaks the document would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from lib.errors import ProviderUnavailable
from lib.server_history import Handle, ServerTurn, ThreadSettings
from lib.server_history.adapters.assistants import AssistantsHistory
from lib.server_history.adapters.conversations import ConversationsHistory
from lib.server_history.adapters.responses import ResponsesHistory
from lib.settings import Endpoint
from tests.support import peer_servers

pytestmark = pytest.mark.peers
EVERYTHING = ThreadSettings(
    max_output_tokens=300,
    truncation="auto",
    last_messages=4,
    max_prompt_tokens=2000,
    stream=False,
    poll_seconds=0.05,
    deadline_seconds=0.5,
)
THREAD = Handle("assistants", "gpt-5.1", "Be brief.", (("assistant", "asst_1"), ("thread", "thread_1")))
CHAIN = Handle("responses", "gpt-5.1", "Be brief.", (("response", "resp_1"),))
CONVERSATION = Handle("conversations", "gpt-5.1", "Be brief.", (("conversation", "conv_1"),))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with peer_servers.contract(tmp_path_factory.mktemp("steady")) as address:
        yield Endpoint("it", "openai", "It", base_url=address.url, model="gpt-5.1")


def accepted(call: Callable[[], Any]) -> Any:
    """Run a call; what is made up need not be usable, but nothing may be refused."""
    try:
        return call()
    except ProviderUnavailable as exc:
        if "not as a model server does" in exc.what or "broke off" in exc.what:
            return None
        raise


def test_a_run_is_as_the_document_says_and_given_up_when_it_never_ends(document: Endpoint) -> None:
    history = AssistantsHistory(document, "none", EVERYTHING)
    assert history.create("Be brief.").last("thread")
    *_, turn = history.send(THREAD, "Hello")
    assert isinstance(turn, ServerTurn)
    assert turn.status == "failed"
    assert "still queued" in (turn.reason or "")
    accepted(lambda: history.export(THREAD))
    assert {gone.answered for gone in history.delete(THREAD).things} == {200}


def test_a_streamed_run_is_as_the_document_says(document: Endpoint) -> None:
    accepted(
        lambda: list(AssistantsHistory(document, "none", ThreadSettings(deadline_seconds=0.5)).send(THREAD, "Hello"))
    )


@pytest.mark.parametrize("handle", [CHAIN, Handle("responses", "gpt-5.1")])
def test_a_chain_is_as_the_document_says(document: Endpoint, handle: Handle) -> None:
    history = ResponsesHistory(document, "none", EVERYTHING)
    accepted(lambda: list(history.send(handle, "Hello")))
    assert accepted(lambda: history.count(handle, "Hello"))
    accepted(lambda: history.export(handle))
    assert {gone.answered for gone in history.delete(handle).things} <= {200}


def test_a_conversation_is_as_the_document_says(document: Endpoint) -> None:
    history = ConversationsHistory(document, "none", EVERYTHING)
    assert accepted(lambda: history.create("Be brief.")).last("conversation")
    accepted(lambda: list(history.send(CONVERSATION, "Hello")))
    assert accepted(lambda: history.count(CONVERSATION, "Hello"))
    accepted(lambda: history.export(CONVERSATION))
    assert {gone.answered for gone in history.delete(CONVERSATION).things} == {200}


def test_a_body_that_breaks_the_document_would_be_refused(document: Endpoint) -> None:
    with (
        openai.OpenAI(api_key="none", base_url=document.base_url, max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.responses.create(model="gpt-5.1", input="x", truncation="sometimes")  # type: ignore[call-overload]
    assert "x-steady-error-1-code" in caught.value.response.headers
