"""Responses and Conversations of the replica, through the real openai SDK."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from openai.types.conversations import Conversation, ConversationItemList
from openai.types.responses import Response

from lib.replica.http_values import LABEL
from tests.support.replica_rig import Rig
from tests.support.word_model import tokens


def ask(rig: Rig, text: Any, **more: Any) -> Response:
    return rig.openai.responses.create(model="any", input=text, **more)


def refused(rig: Rig, **request: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        rig.openai.responses.create(**{"model": "any", "input": "hello", **request})
    return caught.value


def test_a_response_has_the_shape_the_sdk_declares(rig: Rig) -> None:
    made = ask(rig, "hello there", metadata={"a": "b"}, instructions="be kind")
    Response.model_validate(made.model_dump(), strict=True)
    assert made.id.startswith("resp_")
    assert len(made.id) == 5 + 48
    assert (made.status, made.output_text, made.model) == ("completed", "fine thanks", "words-1")
    assert (made.metadata, made.instructions, made.truncation) == ({"a": "b"}, "be kind", "disabled")
    assert made.system_fingerprint == "windowseat-replica"  # type: ignore[attr-defined]
    assert rig.openai.responses.retrieve(made.id) == made


def test_usage_is_what_the_models_server_reported_for_what_it_was_sent(rig: Rig) -> None:
    made = ask(rig, "one two three")
    assert made.usage is not None
    assert made.usage.input_tokens == 5 == tokens(rig.words.bodies[-1]["messages"])
    assert made.usage.input_tokens_details.cached_tokens == 2
    assert (made.usage.output_tokens, made.usage.total_tokens) == (2, 7)


def test_usage_that_is_not_reported_is_null(rig: Rig) -> None:
    rig.words.usage = False
    assert ask(rig, "hello").usage is None


def test_a_chain_sends_the_model_the_whole_history(rig: Rig) -> None:
    first = ask(rig, "my name is Ada")
    rig.words.reply = "Ada"
    second = ask(rig, "what is my name", previous_response_id=first.id)
    third = ask(rig, [{"role": "user", "content": "sure?"}], previous_response_id=second.id)
    assert rig.words.last == [
        ("user", "my name is Ada"),
        ("assistant", "fine thanks"),
        ("user", "what is my name"),
        ("assistant", "Ada"),
        ("user", "sure?"),
    ]
    assert third.previous_response_id == second.id
    sizes = [made.usage.input_tokens for made in (first, second, third) if made.usage]
    assert sizes == sorted(sizes)


def test_instructions_are_not_carried_over_a_chain(rig: Rig) -> None:
    first = ask(rig, "hi", instructions="speak French")
    assert rig.words.last[0] == ("system", "speak French")
    ask(rig, "again", previous_response_id=first.id)
    assert [role for role, _ in rig.words.last] == ["user", "assistant", "user"]


def test_a_chain_can_fork(rig: Rig) -> None:
    first = ask(rig, "root")
    ask(rig, "left", previous_response_id=first.id)
    ask(rig, "right", previous_response_id=first.id)
    assert [text for _, text in rig.words.last] == ["root", "fine thanks", "right"]


@pytest.mark.parametrize("how", ["unknown", "deleted", "not stored", "expired"])
def test_a_chain_cannot_go_on_from_what_is_not_there(rig: Rig, how: str) -> None:
    made = ask(rig, "hi", store=how != "not stored")
    if how == "deleted":
        rig.openai.responses.delete(made.id)
    if how == "expired":
        assert rig.expire(made.id).json()["expired"] is True
    previous = "resp_nothing" if how == "unknown" else made.id
    error = refused(rig, previous_response_id=previous)
    assert (error.status_code, error.code, error.param) == (400, "previous_response_not_found", "previous_response_id")
    assert f"Previous response with id '{previous}' not found." in error.message
    for call in (rig.openai.responses.retrieve, rig.openai.responses.delete, rig.openai.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{previous}' not found."):
            call(previous)


def test_deleting_a_response_in_the_middle_ends_the_chain_by_name(rig: Rig) -> None:
    first = ask(rig, "one")
    second = ask(rig, "two", previous_response_id=first.id)
    third = ask(rig, "three", previous_response_id=second.id)
    rig.openai.responses.delete(second.id)
    before = len(rig.words.bodies)
    assert second.id in refused(rig, previous_response_id=third.id).message
    assert len(rig.words.bodies) == before  # never a shorter history in silence
    assert rig.openai.responses.retrieve(third.id).output_text == "fine thanks"


def test_input_items_are_paged_newest_first(rig: Rig) -> None:
    made = ask(rig, [{"role": "user", "content": str(n)} for n in range(5)])
    page = rig.openai.responses.input_items.list(made.id, limit=2)
    assert [item.content[0].text for item in page.data] == ["4", "3"]  # type: ignore[union-attr]
    assert page.has_more
    every = [item.content[0].text for item in rig.openai.responses.input_items.list(made.id, limit=2, order="asc")]  # type: ignore[union-attr]
    assert every == ["0", "1", "2", "3", "4"]


def test_counting_before_sending(rig: Rig) -> None:
    first = ask(rig, "one two three")
    count = rig.openai.responses.input_tokens.count
    assert count(model="any", input="one two three").input_tokens == 5
    following = count(model="any", input="four", previous_response_id=first.id)
    assert (following.object, following.input_tokens) == ("response.input_tokens", 5 + 4 + 3)
    assert ask(rig, "four", previous_response_id=first.id).usage.input_tokens == 12  # type: ignore[union-attr]


def test_truncation_auto_leaves_out_the_oldest_items_and_the_transcript_shows_it(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    sizes = []
    for n in range(8):
        made = ask(rig, f"turn{n} " + "x " * 78, conversation=talk.id, truncation="auto")
        sizes.append(made.usage.input_tokens if made.usage else 0)
    assert sizes[0] == 81
    assert max(sizes) <= 400
    assert sizes[-1] == sizes[-2]  # a plateau, while what is stored goes on growing
    assert rig.words.last[-1][1].startswith("turn7")
    assert "turn0" not in str(rig.words.last)
    assert len(list(rig.openai.conversations.items.list(talk.id))) == 16


def test_without_truncation_an_overflow_is_refused_and_nothing_is_stored(rig: Rig) -> None:
    talk = rig.openai.conversations.create(items=[{"role": "user", "content": "x " * 390}])
    error = refused(rig, conversation=talk.id)
    assert (error.status_code, error.code, error.param) == (400, "context_length_exceeded", "input")
    assert len(list(rig.openai.conversations.items.list(talk.id))) == 1
    assert rig.words.bodies == []
    rig.openai.conversations.items.create(talk.id, items=[{"role": "user", "content": "still free"}])


def test_one_item_that_is_too_long_is_refused_even_with_truncation(rig: Rig) -> None:
    assert refused(rig, input="x " * 500, truncation="auto").code == "context_length_exceeded"


def test_the_limit_of_output_ends_a_response_incomplete(rig: Rig) -> None:
    rig.words.reply = "word " * 30
    made = ask(rig, "hi", max_output_tokens=16)
    assert made.status == "incomplete"
    assert made.incomplete_details is not None
    assert made.incomplete_details.reason == "max_output_tokens"
    assert len(made.output_text.split()) == 16
    ask(rig, "go on", previous_response_id=made.id)
    assert rig.words.last[1] == ("assistant", made.output_text)


@pytest.mark.parametrize(
    ("request_", "status", "code"),
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
def test_requests_are_refused_as_openai_does(rig: Rig, request_: dict[str, Any], status: int, code: str | None) -> None:
    error = refused(rig, **request_)
    assert (error.status_code, error.code, error.type) == (status, code, "invalid_request_error")
    assert rig.words.bodies == []


def test_events_come_in_the_documented_order_with_rising_numbers(rig: Rig) -> None:
    rig.words.reply = "a b c"
    events = list(rig.openai.responses.create(model="any", input="hi", stream=True))
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
    final = events[-1].response  # type: ignore[union-attr]
    assert final.output_text == "a b c"
    assert rig.openai.responses.retrieve(final.id) == final


def test_the_sdks_own_stream_helper_reads_it(rig: Rig) -> None:
    with rig.openai.responses.stream(model="any", input="hi") as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert final.output_text == "fine thanks"
    assert ask(rig, "more", previous_response_id=final.id).status == "completed"


def test_a_model_that_breaks_off_fails_the_response_and_stores_nothing(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    rig.words.break_off = True
    events = list(rig.openai.responses.create(model="any", input="hi", stream=True, conversation=talk.id))
    assert events[-1].type == "response.failed"
    assert events[-1].response.error.code == "server_error"  # type: ignore[union-attr]
    error = refused(rig, conversation=talk.id)
    assert (error.status_code, error.type) == (500, "server_error")
    assert list(rig.openai.conversations.items.list(talk.id)) == []
    rig.words.break_off = False
    assert ask(rig, "hi", conversation=talk.id).status == "completed"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, {"error": {"message": "boom"}}, (500, "server_error")),
        (429, {"error": {"message": "slow down"}}, (429, "rate_limit_exceeded")),
        (400, {"error": {"type": "exceed_context_size_error", "message": "too big"}}, (400, "context_length_exceeded")),
    ],
)
def test_the_models_failures_are_worded_as_openai_does(
    rig: Rig, status: int, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    rig.words.error = (status, body)
    error = refused(rig)
    assert (error.status_code, error.code) == expected


def test_a_conversation_is_created_changed_and_deleted(rig: Rig) -> None:
    made = rig.openai.conversations.create(
        metadata={"topic": "demo"}, items=[{"type": "message", "role": "user", "content": "Hello!"}]
    )
    Conversation.model_validate(made.model_dump(), strict=True)
    assert (made.object, made.created_at, made.id[:5]) == ("conversation", 1_795_000_000, "conv_")
    assert rig.openai.conversations.update(made.id, metadata={"topic": "new"}).metadata == {"topic": "new"}
    assert rig.openai.conversations.retrieve(made.id).metadata == {"topic": "new"}
    gone = rig.openai.conversations.delete(made.id)
    assert (gone.object, gone.deleted, gone.id) == ("conversation.deleted", True, made.id)
    with pytest.raises(openai.NotFoundError, match=f"Conversation with id '{made.id}' not found."):
        rig.openai.conversations.retrieve(made.id)
    assert refused(rig, conversation=made.id).status_code == 404


def test_items_are_added_listed_read_and_removed(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    added = rig.openai.conversations.items.create(
        talk.id,
        items=[{"role": "user", "content": f"n{n}"} for n in range(20)],  # type: ignore[misc]
    )
    ConversationItemList.model_validate(added.model_dump(), strict=True)
    assert [item.content[0].text for item in added.data[:2]] == ["n0", "n1"]  # type: ignore[union-attr]
    rig.openai.conversations.items.create(talk.id, items=[{"role": "assistant", "content": "n20"}])
    page = rig.openai.conversations.items.list(talk.id)
    assert (len(page.data), page.has_more, page.last_id) == (20, True, page.data[-1].id)
    asc = [item.content[0].text for item in rig.openai.conversations.items.list(talk.id, order="asc", limit=7)]  # type: ignore[union-attr]
    assert asc == [f"n{n}" for n in range(21)]
    item = added.data[3].id or ""
    assert rig.openai.conversations.items.retrieve(item, conversation_id=talk.id) == added.data[3]
    assert rig.openai.conversations.items.delete(item, conversation_id=talk.id).id == talk.id
    with pytest.raises(openai.NotFoundError):
        rig.openai.conversations.items.retrieve(item, conversation_id=talk.id)
    ask(rig, "and now", conversation={"id": talk.id})
    assert "n3" not in [text for _, text in rig.words.last]


def test_at_most_twenty_items_and_a_hundred_a_page(rig: Rig) -> None:
    items: Any = [{"role": "user", "content": "x"}] * 21
    for call in (
        lambda: rig.openai.conversations.create(items=items),
        lambda: rig.openai.conversations.items.create(rig.openai.conversations.create().id, items=items),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            call()
        assert caught.value.code == "array_above_max_length"
    with pytest.raises(openai.BadRequestError) as caught:
        rig.openai.conversations.items.list(rig.openai.conversations.create().id, limit=101)
    assert caught.value.code == "integer_above_max_value"


def test_a_response_in_a_conversation_appends_to_it(rig: Rig) -> None:
    talk = rig.openai.conversations.create(items=[{"role": "developer", "content": "be brief"}])
    made = ask(rig, "hello", conversation=talk.id)
    assert made.conversation is not None
    assert made.conversation.id == talk.id
    ask(rig, "again", conversation=talk.id)
    assert rig.words.last == [
        ("system", "be brief"),
        ("user", "hello"),
        ("assistant", "fine thanks"),
        ("user", "again"),
    ]
    roles = [item.role for item in rig.openai.conversations.items.list(talk.id, order="asc")]  # type: ignore[union-attr]
    assert roles == ["developer", "user", "assistant", "user", "assistant"]


def test_a_chain_can_leave_a_conversation_with_its_history(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    ask(rig, "one", conversation=talk.id)
    made = ask(rig, "two", conversation=talk.id)
    ask(rig, "three", previous_response_id=made.id)
    assert [text for role, text in rig.words.last if role == "user"] == ["one", "two", "three"]


def test_the_second_of_two_writers_is_told_that_the_conversation_is_locked(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    rig.words.gate = threading.Event()
    stream = rig.openai.responses.create(model="any", input="first", conversation=talk.id, stream=True)
    next(event for event in stream if event.type == "response.output_text.delta")
    error = refused(rig, conversation=talk.id)
    assert (error.status_code, error.code, error.param) == (400, "conversation_locked", "conversation")
    assert "Another process is currently operating on this conversation." in error.message
    with pytest.raises(openai.BadRequestError, match="Another process"):
        rig.openai.conversations.items.create(talk.id, items=[{"role": "user", "content": "me too"}])
    with pytest.raises(openai.BadRequestError, match="Another process"):
        rig.openai.conversations.delete(talk.id)
    assert rig.contents()["conversations"][0]["locked"] is True
    rig.words.gate.set()
    *_, last = stream
    assert last.type == "response.completed"
    assert len(list(rig.openai.conversations.items.list(talk.id))) == 2


def test_many_writers_at_once_lose_nothing_that_was_accepted(rig: Rig) -> None:
    talk = rig.openai.conversations.create()

    def write(n: int) -> bool:
        try:
            ask(rig, f"writer {n}", conversation=talk.id)
        except openai.BadRequestError as exc:
            refusals.append(exc.code)
            return False
        return True

    refusals: list[str | None] = []

    with ThreadPoolExecutor(8) as pool:
        accepted = sum(pool.map(write, range(24)))
    items = list(rig.openai.conversations.items.list(talk.id, order="asc"))
    assert accepted >= 1
    assert set(refusals) <= {"conversation_locked"}
    assert [item.role for item in items] == ["user", "assistant"] * accepted  # type: ignore[union-attr]


def test_a_reader_who_leaves_frees_the_conversation_and_the_model(rig: Rig) -> None:
    talk = rig.openai.conversations.create()
    rig.words.gate = threading.Event()
    stream = rig.openai.responses.create(model="any", input="first", conversation=talk.id, stream=True)
    next(event for event in stream if event.type == "response.output_text.delta")
    stream.close()
    assert rig.words.cut_off.wait(10)
    rig.words.gate.set()
    assert ask(rig, "second", conversation=talk.id).status == "completed"
    assert rig.words.last == [("user", "second")]


def test_every_answer_says_that_it_is_a_replica(rig: Rig) -> None:
    talk = rig.openai.conversations.with_raw_response.create()
    assert talk.headers["x-windowseat-replica"] == LABEL
    stream = rig.openai.responses.with_raw_response.create(model="any", input="hi", stream=True)
    assert stream.headers["x-windowseat-replica"] == LABEL
    list(stream.parse())
    assert refused(rig, conversation="conv_x").response.headers["x-windowseat-replica"] == LABEL
