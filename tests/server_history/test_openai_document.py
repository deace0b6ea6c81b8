"""Every request our adapters send is valid by OpenAI's own OpenAPI document, which a third-party server enforces.

That server holds nothing: a run stays queued for ever, and answers are invented. What counts is that it refuses no
request of ours, and would refuse one that breaks the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from lib.errors import ProviderUnavailable
from lib.server_history import Handle, ThreadSettings
from lib.server_history.adapters.assistants import AssistantsHistory
from lib.server_history.adapters.conversations import ConversationsHistory
from lib.server_history.adapters.responses import ResponsesHistory
from lib.settings import Endpoint
from tests.support.server_history.server_turns import last_turn, openai_endpoint
from tests.support.servers import peer_servers

pytestmark = pytest.mark.peers
ALL_SETTINGS = ThreadSettings(
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
    with peer_servers.openai_document(tmp_path_factory.mktemp("steady")) as address:
        yield openai_endpoint(address.url, "gpt-5.1")


def accepted(call: Callable[[], Any]) -> Any:
    """Run a call. The invented answer may be unusable, but the request must not be refused."""
    try:
        return call()
    except ProviderUnavailable as exc:
        if "not as a model server does" in exc.what or "broke off" in exc.what:
            return None
        raise


def test_a_run_is_valid_and_cancelled_if_it_never_ends(document: Endpoint) -> None:
    history = AssistantsHistory(document, "none", ALL_SETTINGS)
    assert history.create("Be brief.").last("thread")
    turn = last_turn(history, THREAD)
    assert turn.status == "failed"
    assert "still queued" in (turn.reason or "")
    accepted(lambda: history.export(THREAD))
    assert {item.delete_status for item in history.delete(THREAD).items} == {200}


def test_a_streamed_run_is_valid(document: Endpoint) -> None:
    accepted(
        lambda: list(AssistantsHistory(document, "none", ThreadSettings(deadline_seconds=0.5)).send(THREAD, "Hello"))
    )


@pytest.mark.parametrize("handle", [CHAIN, Handle("responses", "gpt-5.1")])
def test_a_chain_is_valid(document: Endpoint, handle: Handle) -> None:
    history = ResponsesHistory(document, "none", ALL_SETTINGS)
    accepted(lambda: list(history.send(handle, "Hello")))
    assert accepted(lambda: history.count(handle, "Hello"))
    accepted(lambda: history.export(handle))
    assert {item.delete_status for item in history.delete(handle).items} <= {200}


def test_a_conversation_is_valid(document: Endpoint) -> None:
    history = ConversationsHistory(document, "none", ALL_SETTINGS)
    assert accepted(lambda: history.create("Be brief.")).last("conversation")
    accepted(lambda: list(history.send(CONVERSATION, "Hello")))
    assert accepted(lambda: history.count(CONVERSATION, "Hello"))
    accepted(lambda: history.export(CONVERSATION))
    assert {item.delete_status for item in history.delete(CONVERSATION).items} == {200}


def test_a_request_that_breaks_the_document_is_refused(document: Endpoint) -> None:
    invalid: Any = "sometimes"
    with (
        openai.OpenAI(api_key="none", base_url=document.base_url, max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.responses.create(model="gpt-5.1", input="x", truncation=invalid)
    assert "x-steady-error-1-code" in caught.value.response.headers
