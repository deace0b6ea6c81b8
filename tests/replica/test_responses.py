"""Responses and Conversations of the replica, through the real openai SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai.types.conversations import Conversation, ConversationItemList
from openai.types.responses import Response

from lib.replica.http_values import LABEL
from tests.support.server_history.connected_replica import ConnectedReplica, item_texts
from tests.support.servers.word_model import tokens


def ask(replica: ConnectedReplica, text: Any, **fields: Any) -> Response:
    response: Response = replica.openai.responses.create(model="any", input=text, **fields)
    return response


def ask_streaming(replica: ConnectedReplica, text: str, **fields: Any) -> list[Any]:
    """Every event of a streamed response."""
    return list(replica.openai.responses.create(model="any", input=text, stream=True, **fields))


def items_of(replica: ConnectedReplica, conversation_id: str, **query: Any) -> list[Any]:
    """Every item of a conversation, oldest first."""
    return list(replica.openai.conversations.items.list(conversation_id, order="asc", **query))


def refused(replica: ConnectedReplica, **fields: Any) -> openai.APIStatusError:
    """The error of a request that must be refused."""
    with pytest.raises(openai.APIStatusError) as caught:
        replica.openai.responses.create(**{"model": "any", "input": "hello", **fields})
    return caught.value


def test_a_response_has_the_shape_the_sdk_declares(replica: ConnectedReplica) -> None:
    response = ask(replica, "hello there", metadata={"a": "b"}, instructions="be kind")
    Response.model_validate(response.model_dump(), strict=True)
    assert response.id.startswith("resp_")
    assert len(response.id) == 5 + 48
    assert (response.status, response.output_text, response.model) == ("completed", "fine thanks", "words-1")
    assert (response.metadata, response.instructions, response.truncation) == ({"a": "b"}, "be kind", "disabled")
    assert response.model_dump()["system_fingerprint"] == "windowseat-replica"
    assert replica.openai.responses.retrieve(response.id) == response


def test_usage_is_what_the_models_server_reported(replica: ConnectedReplica) -> None:
    response = ask(replica, "one two three")
    assert response.usage is not None
    assert response.usage.input_tokens == 5 == tokens(replica.model.bodies[-1]["messages"])
    assert response.usage.input_tokens_details.cached_tokens == 2
    assert (response.usage.output_tokens, response.usage.total_tokens) == (2, 7)


def test_usage_that_is_not_reported_is_null(replica: ConnectedReplica) -> None:
    replica.model.reports_usage = False
    assert ask(replica, "hello").usage is None


def test_a_chain_sends_the_model_the_whole_history(replica: ConnectedReplica) -> None:
    first = ask(replica, "my name is Ada")
    replica.model.reply = "Ada"
    second = ask(replica, "what is my name", previous_response_id=first.id)
    third = ask(replica, [{"role": "user", "content": "sure?"}], previous_response_id=second.id)
    assert replica.model.last == [
        ("user", "my name is Ada"),
        ("assistant", "fine thanks"),
        ("user", "what is my name"),
        ("assistant", "Ada"),
        ("user", "sure?"),
    ]
    assert third.previous_response_id == second.id
    sizes = [response.usage.input_tokens for response in (first, second, third) if response.usage]
    assert sizes == sorted(sizes)


def test_instructions_are_not_carried_over_a_chain(replica: ConnectedReplica) -> None:
    first = ask(replica, "hi", instructions="speak French")
    assert replica.model.last[0] == ("system", "speak French")
    ask(replica, "again", previous_response_id=first.id)
    assert [role for role, _ in replica.model.last] == ["user", "assistant", "user"]


def test_a_chain_can_fork(replica: ConnectedReplica) -> None:
    first = ask(replica, "root")
    ask(replica, "left", previous_response_id=first.id)
    ask(replica, "right", previous_response_id=first.id)
    assert [text for _, text in replica.model.last] == ["root", "fine thanks", "right"]


@pytest.mark.parametrize("how", ["unknown", "deleted", "not stored", "expired"])
def test_a_chain_cannot_continue_from_a_missing_response(replica: ConnectedReplica, how: str) -> None:
    response = ask(replica, "hi", store=how != "not stored")
    if how == "deleted":
        replica.openai.responses.delete(response.id)
    if how == "expired":
        assert replica.expire(response.id).json()["expired"] is True
    previous = "resp_nothing" if how == "unknown" else response.id
    error = refused(replica, previous_response_id=previous)
    assert (error.status_code, error.code, error.param) == (400, "previous_response_not_found", "previous_response_id")
    assert f"Previous response with id '{previous}' not found." in error.message
    for call in (
        replica.openai.responses.retrieve,
        replica.openai.responses.delete,
        replica.openai.responses.input_items.list,
    ):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{previous}' not found."):
            call(previous)


def test_a_chain_with_a_missing_link_is_refused_naming_the_link(replica: ConnectedReplica) -> None:
    first = ask(replica, "one")
    second = ask(replica, "two", previous_response_id=first.id)
    third = ask(replica, "three", previous_response_id=second.id)
    replica.openai.responses.delete(second.id)
    before = len(replica.model.bodies)
    assert second.id in refused(replica, previous_response_id=third.id).message
    assert len(replica.model.bodies) == before  # the history is never silently shortened
    assert replica.openai.responses.retrieve(third.id).output_text == "fine thanks"


def test_input_items_are_paged_newest_first(replica: ConnectedReplica) -> None:
    response = ask(replica, [{"role": "user", "content": str(n)} for n in range(5)])
    page = replica.openai.responses.input_items.list(response.id, limit=2)
    assert item_texts(page.data) == ["4", "3"]
    assert page.has_more
    every = replica.openai.responses.input_items.list(response.id, limit=2, order="asc")
    assert item_texts(every) == ["0", "1", "2", "3", "4"]


def test_a_fieldsis_counted_before_it_is_sent(replica: ConnectedReplica) -> None:
    first = ask(replica, "one two three")
    count = replica.openai.responses.input_tokens.count
    assert count(model="any", input="one two three").input_tokens == 5
    counted = count(model="any", input="four", previous_response_id=first.id)
    assert (counted.object, counted.input_tokens) == ("response.input_tokens", 5 + 4 + 3)
    second = ask(replica, "four", previous_response_id=first.id)
    assert second.usage is not None
    assert second.usage.input_tokens == counted.input_tokens


def test_truncation_auto_drops_the_oldest_items(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    sizes = []
    for n in range(8):
        response = ask(replica, f"turn{n} " + "x " * 78, conversation=conversation.id, truncation="auto")
        sizes.append(response.usage.input_tokens if response.usage else 0)
    assert sizes[0] == 81
    assert max(sizes) <= 400
    assert sizes[-1] == sizes[-2]  # a plateau, while the stored items keep growing
    assert replica.model.last[-1][1].startswith("turn7")
    assert "turn0" not in str(replica.model.last)
    assert len(items_of(replica, conversation.id)) == 16


def test_without_truncation_an_overflow_is_refused_and_nothing_is_stored(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create(items=[{"role": "user", "content": "x " * 390}])
    error = refused(replica, conversation=conversation.id)
    assert (error.status_code, error.code, error.param) == (400, "context_length_exceeded", "input")
    assert len(items_of(replica, conversation.id)) == 1
    assert replica.model.bodies == []
    replica.openai.conversations.items.create(conversation.id, items=[{"role": "user", "content": "still free"}])


def test_one_item_that_is_too_long_is_refused_even_with_truncation(replica: ConnectedReplica) -> None:
    assert refused(replica, input="x " * 500, truncation="auto").code == "context_length_exceeded"


def test_a_response_that_reaches_its_limit_ends_incomplete(replica: ConnectedReplica) -> None:
    replica.model.reply = "word " * 30
    response = ask(replica, "hi", max_output_tokens=16)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"
    assert len(response.output_text.split()) == 16
    ask(replica, "go on", previous_response_id=response.id)
    assert replica.model.last[1] == ("assistant", response.output_text)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"max_output_tokens": 15}, 400, "integer_below_min_value"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, 400, "mutually_exclusive_parameters"),
        ({"conversation": "conv_1"}, 404, None),
        ({"truncation": "middle"}, 400, "invalid_value"),
        ({"tools": [{"type": "web_search"}]}, 400, "unsupported_parameter"),
        ({"background": True}, 400, "unsupported_parameter"),
        ({"input": [{"role": "critic", "content": "x"}]}, 400, "invalid_value"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, 400, "invalid_value"),
        ({"input": [{"type": "function_call_output", "call_id": "1", "output": "x"}]}, 400, "invalid_value"),
        ({"instructions": 5}, 400, "invalid_type"),
        ({"input": 5}, 400, "invalid_type"),
        ({"input": []}, 400, "missing_required_parameter"),
        ({"reasoning": {"effort": "low"}}, 400, "unsupported_parameter"),
        ({"text": {"format": {"type": "json_object"}}}, 400, "unsupported_parameter"),
    ],
)
def test_invalid_requests_are_refused_as_at_openai(
    replica: ConnectedReplica, fields: dict[str, Any], status: int, code: str | None
) -> None:
    error = refused(replica, **fields)
    assert (error.status_code, error.code, error.type) == (status, code, "invalid_request_error")
    assert replica.model.bodies == []


def test_events_come_in_the_documented_order_with_sequence_numbers(replica: ConnectedReplica) -> None:
    replica.model.reply = "a b c"
    events = ask_streaming(replica, "hi")
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    final = events[-1].response
    assert final.output_text == "a b c"
    assert replica.openai.responses.retrieve(final.id) == final


def test_the_sdks_own_stream_helper_reads_it(replica: ConnectedReplica) -> None:
    with replica.openai.responses.stream(model="any", input="hi") as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert final.output_text == "fine thanks"
    assert ask(replica, "more", previous_response_id=final.id).status == "completed"


def test_a_model_that_breaks_off_fails_the_response_and_stores_nothing(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    replica.model.break_off = True
    events = ask_streaming(replica, "hi", conversation=conversation.id)
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"
    error = refused(replica, conversation=conversation.id)
    assert (error.status_code, error.type) == (500, "server_error")
    assert items_of(replica, conversation.id) == []
    replica.model.break_off = False
    assert ask(replica, "hi", conversation=conversation.id).status == "completed"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, {"error": {"message": "boom"}}, (500, "server_error")),
        (429, {"error": {"message": "slow down"}}, (429, "rate_limit_exceeded")),
        (400, {"error": {"type": "exceed_context_size_error", "message": "too big"}}, (400, "context_length_exceeded")),
    ],
)
def test_the_models_failures_are_worded_as_at_openai(
    replica: ConnectedReplica, status: int, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    replica.model.error = (status, body)
    error = refused(replica)
    assert (error.status_code, error.code) == expected


def test_a_conversation_is_created_updated_and_deleted(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create(
        metadata={"topic": "demo"}, items=[{"type": "message", "role": "user", "content": "Hello!"}]
    )
    Conversation.model_validate(conversation.model_dump(), strict=True)
    assert (conversation.object, conversation.created_at, conversation.id[:5]) == (
        "conversation",
        1_795_000_000,
        "conv_",
    )
    assert replica.openai.conversations.update(conversation.id, metadata={"topic": "new"}).metadata == {"topic": "new"}
    assert replica.openai.conversations.retrieve(conversation.id).metadata == {"topic": "new"}
    deleted = replica.openai.conversations.delete(conversation.id)
    assert (deleted.object, deleted.deleted, deleted.id) == ("conversation.deleted", True, conversation.id)
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{conversation.id}' not found."):
        replica.openai.conversations.retrieve(conversation.id)
    assert refused(replica, conversation=conversation.id).status_code == 404


def test_items_are_added_listed_read_and_deleted(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    twenty: Any = [{"role": "user", "content": f"n{n}"} for n in range(20)]
    added = replica.openai.conversations.items.create(conversation.id, items=twenty)
    ConversationItemList.model_validate(added.model_dump(), strict=True)
    assert item_texts(added.data[:2]) == ["n0", "n1"]
    replica.openai.conversations.items.create(conversation.id, items=[{"role": "assistant", "content": "n20"}])
    page = replica.openai.conversations.items.list(conversation.id)
    assert (len(page.data), page.has_more, page.last_id) == (20, True, page.data[-1].id)
    assert item_texts(items_of(replica, conversation.id, limit=7)) == [f"n{n}" for n in range(21)]
    item = added.data[3].id or ""
    assert replica.openai.conversations.items.retrieve(item, conversation_id=conversation.id) == added.data[3]
    assert replica.openai.conversations.items.delete(item, conversation_id=conversation.id).id == conversation.id
    with pytest.raises(openai.NotFoundError):
        replica.openai.conversations.items.retrieve(item, conversation_id=conversation.id)
    ask(replica, "and now", conversation={"id": conversation.id})
    assert "n3" not in [text for _, text in replica.model.last]


def test_a_fieldsadds_at_most_twenty_items_and_a_page_has_at_most_a_hundred(replica: ConnectedReplica) -> None:
    items: Any = [{"role": "user", "content": "x"}] * 21
    for call in (
        lambda: replica.openai.conversations.create(items=items),
        lambda: replica.openai.conversations.items.create(replica.openai.conversations.create().id, items=items),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            call()
        assert caught.value.code == "array_above_max_length"
    with pytest.raises(openai.BadRequestError) as caught:
        replica.openai.conversations.items.list(replica.openai.conversations.create().id, limit=101)
    assert caught.value.code == "integer_above_max_value"


def test_a_response_in_a_conversation_appends_to_it(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create(items=[{"role": "developer", "content": "be brief"}])
    response = ask(replica, "hello", conversation=conversation.id)
    assert response.conversation is not None
    assert response.conversation.id == conversation.id
    ask(replica, "again", conversation=conversation.id)
    assert replica.model.last == [
        ("system", "be brief"),
        ("user", "hello"),
        ("assistant", "fine thanks"),
        ("user", "again"),
    ]
    roles = [item.role for item in items_of(replica, conversation.id)]
    assert roles == ["developer", "user", "assistant", "user", "assistant"]


def test_a_chain_can_continue_from_a_conversation_with_its_history(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    ask(replica, "one", conversation=conversation.id)
    response = ask(replica, "two", conversation=conversation.id)
    ask(replica, "three", previous_response_id=response.id)
    assert replica.model.last_prompts == ["one", "two", "three"]


def test_the_second_of_two_writers_is_refused_because_the_conversation_is_locked(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    stream = replica.waiting_stream("first", conversation=conversation.id)
    error = refused(replica, conversation=conversation.id)
    assert (error.status_code, error.code, error.param) == (400, "conversation_locked", "conversation")
    assert "Another process is currently operating on this conversation." in error.message
    with pytest.raises(openai.BadRequestError, match="Another process"):
        replica.openai.conversations.items.create(conversation.id, items=[{"role": "user", "content": "me too"}])
    with pytest.raises(openai.BadRequestError, match="Another process"):
        replica.openai.conversations.delete(conversation.id)
    assert replica.contents()["conversations"][0]["locked"] is True
    assert replica.model.gate is not None
    replica.model.gate.set()
    *_, last = stream
    assert last.type == "response.completed"
    assert len(items_of(replica, conversation.id)) == 2


def test_many_writers_at_once_lose_no_accepted_message(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    refusals: list[str | None] = []

    def write(n: int) -> bool:
        try:
            ask(replica, f"writer {n}", conversation=conversation.id)
        except openai.BadRequestError as exc:
            refusals.append(exc.code)
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(write, range(24)))
    assert accepted >= 1
    assert set(refusals) <= {"conversation_locked"}
    assert [item.role for item in items_of(replica, conversation.id)] == ["user", "assistant"] * accepted


def test_a_reader_who_leaves_frees_the_conversation_and_the_model(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.create()
    stream = replica.waiting_stream("first", conversation=conversation.id)
    stream.close()
    assert replica.model.reader_left.wait(10)
    replica.model.gate = None
    assert ask(replica, "second", conversation=conversation.id).status == "completed"
    assert replica.model.last == [("user", "second")]


def test_every_response_says_that_it_is_from_a_replica(replica: ConnectedReplica) -> None:
    conversation = replica.openai.conversations.with_raw_response.create()
    assert conversation.headers["x-windowseat-replica"] == LABEL
    stream = replica.openai.responses.with_raw_response.create(model="any", input="hi", stream=True)
    assert stream.headers["x-windowseat-replica"] == LABEL
    list(stream.parse())
    assert refused(replica, conversation="conv_x").response.headers["x-windowseat-replica"] == LABEL
