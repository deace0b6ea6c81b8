"""Chains of responses and conversations: the requests they send, the notes they make, the errors they raise."""

from __future__ import annotations

from typing import Any

import pytest

from lib.errors import ContextOverflow, ConversationGone, InvalidRequest, ProviderUnavailable, RateLimited
from lib.messages import Usage, assistant, system, user
from lib.server_history import Handle, ThreadSettings
from lib.server_history.adapters.conversations import ConversationsHistory
from lib.server_history.adapters.responses import ResponsesHistory
from tests.support.server_history.server_turns import last_turn, openai_endpoint
from tests.support.servers.openai_routes import Answer, Routes, events, streamed_response

USAGE = {
    "input_tokens": 40,
    "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 45,
}
CHAIN = Handle("responses", "m", "Be brief.", (("response", "resp_0"),))
CONVERSATION = Handle("conversations", "m", "Be brief.", (("conversation", "conv_1"),))


def chain(routes: Routes, settings: ThreadSettings | None = None) -> ResponsesHistory:
    return ResponsesHistory(openai_endpoint(routes.url), "key", settings)


def conversation(routes: Routes, settings: ThreadSettings | None = None) -> ConversationsHistory:
    return ConversationsHistory(openai_endpoint(routes.url), "key", settings)


def item(role: str, text: str, **fields: Any) -> dict[str, Any]:
    """A message item as a server lists it."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def test_a_chain_sends_its_link_its_instructions_and_the_new_message(routes: Routes) -> None:
    routes.on(
        "POST /v1/responses",
        streamed_response("H", "i.", usage=USAGE, previous_response_id="resp_0", truncation="disabled"),
    )
    settings = ThreadSettings(max_output_tokens=20, truncation="disabled")
    turn = last_turn(chain(routes, settings), CHAIN)
    assert routes.requests[0][1] == {
        "model": "m",
        "input": "Hello",
        "instructions": "Be brief.",
        "previous_response_id": "resp_0",
        "store": True,
        "truncation": "disabled",
        "max_output_tokens": 20,
        "stream": True,
    }
    assert (turn.reply, turn.status, turn.notes) == ("Hi.", "complete", ())
    assert turn.usage == Usage(40, 30, 4, 5, 2)
    assert turn.handle.all("response") == ["resp_0", "resp_1"]


def test_a_conversation_sends_its_id(routes: Routes) -> None:
    routes.on("POST /v1/responses", streamed_response("Hi.", usage=USAGE, conversation={"id": "conv_1"}))
    turn = last_turn(conversation(routes, ThreadSettings(store=False)), CONVERSATION)
    sent = routes.requests[0][1]
    assert (sent["conversation"], sent["store"]) == ("conv_1", False)
    assert "previous_response_id" not in sent
    assert "truncation" not in sent  # left to the server
    assert (turn.handle, turn.ids, turn.notes) == (CONVERSATION, (("response", "resp_1"),), ())


def test_a_setting_that_the_server_echoes_differently_is_noted(routes: Routes) -> None:
    routes.on("POST /v1/responses", streamed_response("Hi.", usage=USAGE, truncation="auto"))
    turn = last_turn(chain(routes, ThreadSettings(truncation="disabled")), CHAIN)
    assert turn.notes == (
        "The server was asked for previous_response_id resp_0, and its answer says nothing.",
        "The server was asked for truncation disabled, and its answer says auto.",
    )


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}])
def test_missing_usage_is_none_and_never_zero(routes: Routes, usage: Any) -> None:
    routes.on("POST /v1/responses", streamed_response("Hi.", usage=usage))
    assert last_turn(chain(routes), chain(routes).create("")).usage == Usage()


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "incomplete",
            "max_output_tokens",
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "length"}}, "incomplete", "length"),
        ({"status": "incomplete"}, "incomplete", "incomplete"),
        ({"status": "failed", "error": {"code": "server_error", "message": "broke"}}, "failed", "server_error: broke"),
        ({"status": "failed", "error": None}, "failed", "failed"),
    ],
)
def test_a_response_that_is_not_complete_says_why(routes: Routes, fields: Any, status: str, reason: str) -> None:
    routes.on("POST /v1/responses", streamed_response("Hi", usage=USAGE, **fields))
    turn = last_turn(chain(routes), CHAIN)
    assert (turn.status, turn.reason, turn.reply) == (status, reason, "Hi")
    assert turn.handle.last("response") == ("resp_0" if status == "failed" else "resp_1")


def test_a_refusal_is_text(routes: Routes) -> None:
    end = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}
    refused = ("response.refusal.delta", {"type": "response.refusal.delta", "delta": "I cannot."})
    routes.on("POST /v1/responses", events(refused, ("response.completed", end)))
    assert last_turn(chain(routes), CHAIN).reply == "I cannot."


def test_a_server_that_does_not_stream_can_be_read(routes: Routes) -> None:
    output = [item("assistant", "Hi.")]
    routes.on("POST /v1/responses", {"id": "resp_1", "status": "completed", "output": output, "usage": USAGE})
    turn = last_turn(chain(routes), chain(routes).create(""))
    assert (turn.reply, turn.usage.input_tokens) == ("Hi.", 40)
    assert turn.notes == ("The server was asked to stream and answered in one piece.",)
    assert turn.first_token_ms


def test_a_stream_that_breaks_off_is_no_reply(routes: Routes) -> None:
    routes.on(
        "POST /v1/responses",
        events(("response.output_text.delta", {"type": "response.output_text.delta", "delta": "H"})),
    )
    with pytest.raises(ProviderUnavailable, match="not as a model server does"):
        last_turn(chain(routes), CHAIN)


@pytest.mark.parametrize("wrapped", [True, False])
def test_an_error_in_a_stream_is_translated(routes: Routes, wrapped: bool) -> None:
    error = {"code": "rate_limit_exceeded", "message": "slow down", "type": "error"}
    routes.on("POST /v1/responses", events(("error", {"error": error} if wrapped else error)))
    with pytest.raises(RateLimited, match="slow down"):
        last_turn(chain(routes), CHAIN)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": "previous_response_not_found", "message": "Previous response with id 'resp_0' not found."}),
        (404, {"code": None, "message": "Response 'resp_0' not found"}),
    ],
)
def test_a_link_the_server_does_not_know_raises_conversation_gone(routes: Routes, status: int, error: Any) -> None:
    routes.on("POST /v1/responses", Answer({"error": error}, status))
    with pytest.raises(ConversationGone, match="does not know response resp_0"):
        last_turn(chain(routes), CHAIN)
    assert len(routes.requests) == 1  # it is not tried without the link


def test_a_model_the_server_does_not_know_is_not_a_lost_history(routes: Routes) -> None:
    routes.on("POST /v1/responses", Answer({"error": {"code": "model_not_found", "message": "no model m"}}, 404))
    for handle in (CHAIN, Handle("responses", "m")):
        with pytest.raises(InvalidRequest, match="no model m"):
            last_turn(chain(routes), handle)


def test_a_server_that_refuses_links_is_quoted(routes: Routes) -> None:
    error = {
        "error": {"code": 400, "message": "does not support 'previous_response_id'", "type": "invalid_request_error"}
    }
    routes.on("POST /v1/responses", Answer(error, 400))
    with pytest.raises(InvalidRequest, match="does not support 'previous_response_id'"):
        last_turn(chain(routes), CHAIN)


def test_a_missing_endpoint_names_the_protocol_the_server_lacks(routes: Routes) -> None:
    with pytest.raises(InvalidRequest, match="does not speak Responses"):
        last_turn(chain(routes), chain(routes).create(""))
    with pytest.raises(InvalidRequest, match="does not speak Conversations"):
        conversation(routes).create("")
    assert len(routes.requests) == 2


def test_an_overflow_raises_context_overflow(routes: Routes) -> None:
    message = "Your input exceeds the context window: 9000 tokens, maximum 4096 tokens."
    routes.on("POST /v1/responses", Answer({"error": {"code": "context_length_exceeded", "message": message}}, 400))
    with pytest.raises(ContextOverflow):
        last_turn(chain(routes), CHAIN)


def test_a_conversation_is_created_read_page_by_page_and_deleted_with_proof(routes: Routes) -> None:
    routes.on("POST /v1/conversations", {"id": "conv_1", "object": "conversation"})
    handle = conversation(routes).create("Be brief.")
    assert handle == CONVERSATION
    items = [
        item("user", "Hello", id="item_1"),
        {"id": "item_2", "type": "reasoning", "summary": []},
        item("assistant", "Hi.", id="item_3"),
    ]
    pages = [
        {"object": "list", "data": items[:2], "has_more": True, "last_id": "item_2"},
        {"object": "list", "data": items[2:], "has_more": False, "last_id": "item_3"},
    ]
    routes.on("GET /v1/conversations/conv_1/items", *pages, *pages)
    assert conversation(routes).export(handle) == [system("Be brief."), user("Hello"), assistant("Hi.")]
    assert "after=item_2" in routes.requests[-1][0]
    assert "order=asc" in routes.requests[-1][0]
    routes.on("GET /v1/conversations/conv_1/items", *pages)
    assert conversation(routes).stored_items(handle) == 3
    routes.on("DELETE /v1/conversations/conv_1", {"id": "conv_1", "object": "conversation.deleted", "deleted": True})
    deletion = conversation(routes).delete(handle)  # reading it again gives 404
    assert deletion.proven
    assert deletion.sentence == "Deleted 1 object; server confirms it is gone."


def test_a_server_that_repeats_a_page_does_not_make_an_export_endless(routes: Routes) -> None:
    hello = {"id": "item_1", "type": "message", "role": "user", "content": "Hello"}
    routes.on("GET /v1/conversations/conv_1/items", {"data": [hello], "has_more": True, "last_id": "item_1"})
    assert conversation(routes).export(CONVERSATION) == [system("Be brief."), user("Hello")]


@pytest.mark.parametrize("lists_everything", [True, False])
def test_a_chain_is_exported_whether_or_not_a_turns_input_includes_the_history(
    routes: Routes, lists_everything: bool
) -> None:
    items = [item("user", "one"), item("assistant", "1"), item("user", "one"), item("assistant", "2")]
    for turn in (1, 2):
        listed = items[: 2 * turn - 1] if lists_everything else items[2 * turn - 2 : 2 * turn - 1]
        routes.on(f"GET /v1/responses/resp_{turn}/input_items", {"object": "list", "data": listed, "has_more": False})
        routes.on(f"GET /v1/responses/resp_{turn}", {"id": f"resp_{turn}", "output": items[2 * turn - 1 : 2 * turn]})
    handle = Handle("responses", "m", "", (("response", "resp_1"), ("response", "resp_2")))
    assert chain(routes).export(handle) == [user("one"), assistant("1"), user("one"), assistant("2")]


def test_a_fork_continues_from_any_turn(routes: Routes) -> None:
    handle = Handle("responses", "m", "", (("response", "resp_1"), ("response", "resp_2"), ("response", "resp_3")))
    fork = chain(routes).fork(handle, "resp_2")
    routes.on("POST /v1/responses", streamed_response("Hi.", id_="resp_9"))
    assert last_turn(chain(routes), fork).handle.all("response") == ["resp_1", "resp_2", "resp_9"]
    assert routes.requests[0][1]["previous_response_id"] == "resp_2"
    with pytest.raises(ConversationGone):
        chain(routes).fork(handle, "resp_x")


def test_a_chain_is_deleted_response_by_response(routes: Routes) -> None:
    handle = Handle("responses", "m", "", (("response", "resp_1"), ("response", "resp_2")))
    routes.on("DELETE /v1/responses/resp_1", {"deleted": True})
    routes.on("DELETE /v1/responses/resp_2", {"deleted": True})
    routes.on("GET /v1/responses/resp_1", {"id": "resp_1"})  # it still has this one
    deletion = chain(routes).delete(handle)
    assert routes.paths[:2] == ["DELETE /v1/responses/resp_2", "DELETE /v1/responses/resp_1"]
    assert not deletion.proven
    assert "response resp_1: deleting it returned 200, reading it again 200" in deletion.sentence
    assert chain(routes).delete(Handle("responses", "m")).sentence.startswith("The server was given nothing to keep")


def test_a_count_includes_the_history_on_the_server(routes: Routes) -> None:
    routes.on("POST /v1/responses/input_tokens", {"object": "response.input_tokens", "input_tokens": 70})
    assert chain(routes).count(CHAIN, "Hello") == 70
    assert conversation(routes).count(CONVERSATION, "Hello") == 70
    assert routes.requests[0][1] == {
        "model": "m",
        "input": "Hello",
        "instructions": "Be brief.",
        "previous_response_id": "resp_0",
    }
    assert routes.requests[1][1]["conversation"] == "conv_1"


def test_a_server_that_cannot_count_gives_none_and_a_lost_history_raises(routes: Routes) -> None:
    assert chain(routes).count(CHAIN, "Hello") is None
    routes.on("POST /v1/responses/input_tokens", Answer({"error": {"message": "Method not allowed"}}, 405))
    assert chain(routes).count(CHAIN, "Hello") is None
    routes.on("POST /v1/responses/input_tokens", Answer({"error": {"message": "Response resp_0 not found"}}, 404))
    with pytest.raises(ConversationGone):
        chain(routes).count(CHAIN, "Hello")


def test_closing_a_stream_early_ends_the_request(routes: Routes) -> None:
    routes.on("POST /v1/responses", streamed_response(*(["word "] * 1000)))
    stream: Any = chain(routes).send(CHAIN, "Hello")
    next(stream)
    stream.close()
    assert list(stream) == []
