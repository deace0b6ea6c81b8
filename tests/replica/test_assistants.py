"""Assistants, threads and runs of the replica, through the real openai SDK (which marks them as deprecated)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import openai
import pytest
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep

from tests.support.server_history.connected_replica import ConnectedReplica, no_deprecation_warnings
from tests.support.waiting import wait_until

STREAM_EVENTS = [
    "thread.run.created",
    "thread.run.queued",
    "thread.run.in_progress",
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
    "thread.message.delta",
    "thread.message.delta",
    "thread.message.completed",
    "thread.run.step.completed",
    "thread.run.completed",
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with no_deprecation_warnings():
        yield


def create_assistant(replica: ConnectedReplica, **fields: Any) -> str:
    """A new assistant; its id."""
    return replica.openai.beta.assistants.create(model="any", **fields).id


def create_thread(replica: ConnectedReplica, *texts: str) -> str:
    """A new thread with these user messages; its id."""
    return replica.openai.beta.threads.create(messages=[{"role": "user", "content": text} for text in texts]).id


def run_thread(replica: ConnectedReplica, thread_id: str, **fields: Any) -> Run:
    """A finished run, by a new assistant if the fields name none."""
    fields = {"assistant_id": fields.get("assistant_id") or create_assistant(replica), **fields}
    return replica.openai.beta.threads.runs.create_and_poll(thread_id=thread_id, **fields)


def waiting_run(replica: ConnectedReplica) -> tuple[str, Run]:
    """A thread with a run that has written one word and waits for the model's gate; its id, and the run."""
    replica.model.gate = threading.Event()
    thread_id = create_thread(replica, "hello")
    started = replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica))
    wait_until(lambda: len(texts_in(replica, thread_id)) == 2, "the first word of the reply")
    return thread_id, started


def finished_run(replica: ConnectedReplica, thread_id: str, run_id: str) -> Run:
    """Poll a run to its end."""
    return replica.openai.beta.threads.runs.poll(run_id, thread_id=thread_id, poll_interval_ms=10)


def texts_in(replica: ConnectedReplica, thread_id: str) -> list[str]:
    """The texts of a thread's messages, oldest first."""
    return [text_of(message) for message in replica.openai.beta.threads.messages.list(thread_id, order="asc")]


def text_of(message: Any) -> str:
    return "".join(part.text.value for part in message.content)


def test_the_sdk_warns_that_they_are_deprecated(replica: ConnectedReplica) -> None:
    with pytest.warns(DeprecationWarning, match="Assistants API is deprecated"):
        replica.openai.beta.threads.create()


def test_a_whole_turn_has_the_shapes_the_sdk_declares(replica: ConnectedReplica) -> None:
    beta = replica.openai.beta
    assistant = beta.assistants.create(model="any", name="Helper", instructions="be kind", metadata={"a": "b"})
    thread = beta.threads.create(metadata={"who": "me"})
    question = beta.threads.messages.create(thread.id, role="user", content="hello")
    run = run_thread(replica, thread.id, assistant_id=assistant.id)
    answer = beta.threads.messages.list(thread.id).data[0]
    step: Any = beta.threads.runs.steps.list(run.id, thread_id=thread.id).data[0]
    objects: dict[str, tuple[Any, Any]] = {
        "asst": (assistant, Assistant),
        "thread": (thread, Thread),
        "msg": (question, Message),
        "run": (run, Run),
        "step": (step, RunStep),
    }
    for prefix, (value, kind) in objects.items():
        kind.model_validate(value.model_dump(), strict=True)
        assert value.id.startswith(f"{prefix}_")
    Message.model_validate(answer.model_dump(), strict=True)
    assert (run.status, run.instructions) == ("completed", "be kind")
    assert (answer.run_id, answer.assistant_id) == (run.id, assistant.id)
    assert replica.model.last == [("system", "be kind"), ("user", "hello")]
    assert beta.threads.retrieve(thread.id) == thread
    assert beta.assistants.retrieve(assistant.id) == assistant
    assert beta.threads.messages.retrieve(question.id, thread_id=thread.id) == question
    assert step.step_details.message_creation.message_id == answer.id


def test_the_model_is_sent_the_whole_thread(replica: ConnectedReplica) -> None:
    assistant_id, thread_id = create_assistant(replica), create_thread(replica, "one")
    first = run_thread(replica, thread_id, assistant_id=assistant_id)
    replica.openai.beta.threads.messages.create(thread_id, role="user", content=[{"type": "text", "text": "two"}])
    second = run_thread(
        replica, thread_id, assistant_id=assistant_id, additional_messages=[{"role": "user", "content": "three"}]
    )
    assert [text for _, text in replica.model.last] == ["one", "fine thanks", "two", "three"]
    assert first.usage is not None
    assert second.usage is not None
    assert (first.usage.prompt_tokens, second.usage.prompt_tokens) == (3, 3 + 4 + 3 + 3)
    assert second.usage.total_tokens == second.usage.prompt_tokens + second.usage.completion_tokens
    listed = replica.openai.beta.threads.runs.list(thread_id).data
    assert [entry.id for entry in listed] == [second.id, first.id]


def test_usage_is_null_until_the_run_ends_and_polls_get_an_interval(replica: ConnectedReplica) -> None:
    thread_id, started = waiting_run(replica)
    raw = replica.openai.beta.threads.runs.with_raw_response.retrieve(started.id, thread_id=thread_id)
    assert raw.headers["openai-poll-after-ms"] == "200"
    assert (started.status, raw.parse().status, raw.parse().usage) == ("queued", "in_progress", None)
    assert replica.model.gate is not None
    replica.model.gate.set()
    assert finished_run(replica, thread_id, started.id).usage is not None


def test_events_come_in_the_documented_order(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, "hi")
    stream = replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica), stream=True)
    assert [event.event for event in stream] == STREAM_EVENTS


def test_creating_a_thread_and_running_it_is_one_request(replica: ConnectedReplica) -> None:
    thread: Any = {"messages": [{"role": "user", "content": "hi"}]}
    stream = replica.openai.beta.threads.create_and_run(
        assistant_id=create_assistant(replica), thread=thread, stream=True
    )
    assert [event.event for event in stream] == ["thread.created", *STREAM_EVENTS]
    polled = replica.openai.beta.threads.create_and_run_poll(assistant_id=create_assistant(replica), thread=thread)
    assert polled.status == "completed"


def test_the_sdks_own_stream_helper_reads_it(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, "hi")
    with replica.openai.beta.threads.runs.stream(thread_id=thread_id, assistant_id=create_assistant(replica)) as stream:
        assert "".join(stream.text_deltas) == "fine thanks"
        assert stream.get_final_run().status == "completed"
        assert stream.get_final_messages()[0].status == "completed"
    replica.openai.beta.threads.messages.create(thread_id, role="user", content="the thread accepts messages at once")


def test_auto_truncation_drops_the_middle(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, *(f"n{n} " + "x " * 57 for n in range(9)))
    finished = run_thread(replica, thread_id, instructions="be kind")
    kept = [text.split()[0] for text in replica.model.last_prompts]
    assert finished.status == "completed"
    assert kept[0] == "n0"
    assert kept[-1] == "n8"
    assert 2 < len(kept) < 9
    numbers = [int(name[1:]) for name in kept]
    gaps = [right - left for left, right in pairwise(numbers)]
    assert sorted(gaps)[:-1] == [1] * (len(gaps) - 1)  # one gap, and it is inside
    assert finished.usage is not None
    assert finished.usage.prompt_tokens <= 400
    assert len(texts_in(replica, thread_id)) == 10  # the thread still holds everything
    assert finished.truncation_strategy is not None
    assert finished.truncation_strategy.type == "auto"  # nothing says what was dropped


def test_last_messages_keeps_the_newest(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, "one", "two", "three", "four")
    finished = run_thread(replica, thread_id, truncation_strategy={"type": "last_messages", "last_messages": 2})
    assert [text for _, text in replica.model.last] == ["three", "four"]
    assert finished.truncation_strategy is not None
    assert finished.truncation_strategy.last_messages == 2


def test_max_prompt_tokens_trims_the_middle_first(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, "first " + "x " * 97, "second " + "x " * 97, "third " + "x " * 97)
    finished = run_thread(replica, thread_id, max_prompt_tokens=256)
    assert finished.status == "completed"
    assert [text.split()[0] for _, text in replica.model.last] == ["first", "third"]


def test_a_prompt_that_cannot_fit_max_prompt_tokens_ends_incomplete(replica: ConnectedReplica) -> None:
    finished = run_thread(replica, create_thread(replica, "x " * 280), max_prompt_tokens=256)
    assert finished.status == "incomplete"
    assert finished.incomplete_details is not None
    assert finished.incomplete_details.reason == "max_prompt_tokens"
    assert replica.model.bodies == []


def test_a_prompt_larger_than_the_window_fails(replica: ConnectedReplica) -> None:
    finished = run_thread(replica, create_thread(replica, "x " * 500))
    assert finished.status == "failed"
    assert finished.last_error is not None
    assert finished.last_error.code == "invalid_prompt"
    assert "400 tokens" in finished.last_error.message


def test_max_completion_tokens_ends_incomplete_with_the_text_so_far(replica: ConnectedReplica) -> None:
    replica.model.reply = "word " * 300
    thread_id = create_thread(replica, "hi")
    finished = run_thread(replica, thread_id, max_completion_tokens=256)
    assert (finished.status, finished.incomplete_details and finished.incomplete_details.reason) == (
        "incomplete",
        "max_completion_tokens",
    )
    message = replica.openai.beta.threads.messages.list(thread_id).data[0]
    assert (message.status, message.incomplete_details and message.incomplete_details.reason) == (
        "incomplete",
        "max_tokens",
    )
    assert len(texts_in(replica, thread_id)[-1].split()) == 256


@pytest.mark.parametrize(("status", "code"), [(500, "server_error"), (429, "rate_limit_exceeded")])
def test_a_run_whose_model_fails_says_so(replica: ConnectedReplica, status: int, code: str) -> None:
    replica.model.error = (status, {"error": {"message": "no"}})
    thread_id = create_thread(replica, "hi")
    finished = run_thread(replica, thread_id)
    assert (finished.status, finished.last_error and finished.last_error.code) == ("failed", code)
    assert finished.failed_at is not None
    assert texts_in(replica, thread_id) == ["hi"]
    replica.model.error = None
    assert run_thread(replica, thread_id).status == "completed"


def test_a_run_whose_model_breaks_off_leaves_an_incomplete_message(replica: ConnectedReplica) -> None:
    replica.model.break_off = True
    thread_id = create_thread(replica, "hi")
    stream = replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica), stream=True)
    names = [event.event for event in stream]
    assert names[-3:] == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.failed"]
    message = replica.openai.beta.threads.messages.list(thread_id).data[0]
    assert message.incomplete_details is not None
    assert message.incomplete_details.reason == "run_failed"


def test_a_thread_accepts_nothing_while_a_run_is_active(replica: ConnectedReplica) -> None:
    thread_id, started = waiting_run(replica)
    with pytest.raises(
        openai.BadRequestError, match=f"Can't add messages to {thread_id} while a run {started.id} is active."
    ):
        replica.openai.beta.threads.messages.create(thread_id, role="user", content="me too")
    with pytest.raises(openai.BadRequestError, match=f"Thread {thread_id} already has an active run {started.id}."):
        replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica))
    assert replica.model.gate is not None
    replica.model.gate.set()
    assert finished_run(replica, thread_id, started.id).status == "completed"


def test_a_cancelled_run_keeps_the_text_so_far(replica: ConnectedReplica) -> None:
    thread_id, started = waiting_run(replica)
    assert replica.openai.beta.threads.runs.cancel(started.id, thread_id=thread_id).status == "cancelling"
    finished = finished_run(replica, thread_id, started.id)
    assert (finished.status, finished.cancelled_at) == ("cancelled", 1_795_000_000)
    message = replica.openai.beta.threads.messages.list(thread_id).data[0]
    assert (message.status, message.incomplete_details and message.incomplete_details.reason) == (
        "incomplete",
        "run_cancelled",
    )
    assert texts_in(replica, thread_id) == ["hello", "fine"]
    assert replica.model.reader_left.wait(10)  # the model's request ended too
    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel run with status 'cancelled'\."):
        replica.openai.beta.threads.runs.cancel(started.id, thread_id=thread_id)
    replica.model.gate = None
    assert run_thread(replica, thread_id).status == "completed"


def test_a_cancelled_stream_ends_with_its_events_in_order(replica: ConnectedReplica) -> None:
    replica.model.gate = threading.Event()
    thread_id = create_thread(replica, "hi")
    stream = replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica), stream=True)
    first = next(event for event in stream if event.event == "thread.message.delta")
    active = replica.contents()["threads"][0]["active_run"]
    replica.openai.beta.threads.runs.cancel(active, thread_id=thread_id)
    assert first.data.id
    assert [event.event for event in stream] == [
        "thread.run.cancelling",
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
    ]


def test_a_run_can_expire(replica: ConnectedReplica) -> None:
    thread_id, started = waiting_run(replica)
    assert replica.expire(started.id).status_code == 200
    assert finished_run(replica, thread_id, started.id).status == "expired"
    assert replica.expire(started.id).status_code == 404  # it has ended


def test_a_run_goes_on_when_its_reader_leaves(replica: ConnectedReplica) -> None:
    replica.model.gate = threading.Event()
    thread_id = create_thread(replica, "hi")
    stream = replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica), stream=True)
    next(event for event in stream if event.event == "thread.message.delta")
    active = replica.contents()["threads"][0]["active_run"]
    stream.close()
    replica.model.gate.set()
    assert finished_run(replica, thread_id, active).status == "completed"
    assert texts_in(replica, thread_id) == ["hi", "fine thanks"]


def test_a_deleted_thread_is_gone_with_its_runs(replica: ConnectedReplica) -> None:
    thread_id, started = waiting_run(replica)
    deleted = replica.openai.beta.threads.delete(thread_id)
    assert (deleted.object, deleted.deleted) == ("thread.deleted", True)
    assert replica.model.reader_left.wait(10)
    for call in (
        lambda: replica.openai.beta.threads.retrieve(thread_id),
        lambda: replica.openai.beta.threads.delete(thread_id),
        lambda: replica.openai.beta.threads.messages.list(thread_id),
        lambda: replica.openai.beta.threads.runs.retrieve(started.id, thread_id=thread_id),
    ):
        with pytest.raises(openai.NotFoundError, match=f"No thread found with id '{thread_id}'.") as caught:
            call()
        assert (caught.value.type, caught.value.code, caught.value.param) == ("invalid_request_error", None, None)
    assert replica.contents()["threads"] == []


def test_every_missing_object_is_named(replica: ConnectedReplica) -> None:
    thread_id, assistant_id = create_thread(replica, "hi"), create_assistant(replica)
    deleted = replica.openai.beta.assistants.delete(assistant_id)
    assert (deleted.object, deleted.deleted) == ("assistant.deleted", True)
    for call, what in (
        (lambda: replica.openai.beta.assistants.retrieve(assistant_id), "No assistant found"),
        (lambda: replica.openai.beta.threads.runs.create(thread_id, assistant_id=assistant_id), "No assistant found"),
        (lambda: replica.openai.beta.threads.messages.retrieve("msg_1", thread_id=thread_id), "No message found"),
        (lambda: replica.openai.beta.threads.runs.retrieve("run_1", thread_id=thread_id), "No run found"),
    ):
        with pytest.raises(openai.NotFoundError, match=what):
            call()


def test_messages_are_paged(replica: ConnectedReplica) -> None:
    thread_id = create_thread(replica, *(f"n{n}" for n in range(25)))
    messages = replica.openai.beta.threads.messages
    page = messages.list(thread_id)
    assert (len(page.data), page.has_more, text_of(page.data[0])) == (20, True, "n24")
    every = list(messages.list(thread_id, limit=4))
    assert len({message.id for message in every}) == 25
    first_two = messages.list(thread_id, order="asc", before=every[-3].id)
    assert [text_of(message) for message in first_two.data] == ["n0", "n1"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"max_prompt_tokens": 255}, "Expected a value >= 256"),
        ({"max_completion_tokens": 1}, "Expected a value >= 256"),
        ({"truncation_strategy": {"type": "oldest"}}, "Supported values are: 'auto' and 'last_messages'"),
        ({"truncation_strategy": {"type": "last_messages"}}, "last_messages"),
        ({"tools": [{"type": "file_search"}]}, "'tools' is not supported"),
        ({"additional_messages": [{"role": "system", "content": "x"}]}, "Supported values are: 'user' and 'assistant'"),
    ],
)
def test_invalid_runs_are_refused_and_leave_no_trace(
    replica: ConnectedReplica, fields: dict[str, Any], what: str
) -> None:
    thread_id = create_thread(replica, "hi")
    with pytest.raises(openai.BadRequestError, match=what):
        replica.openai.beta.threads.runs.create(thread_id, assistant_id=create_assistant(replica), **fields)
    thread = replica.contents()["threads"][0]
    assert (thread["active_run"], thread["runs"], len(thread["messages"])) == (None, [], 1)


def test_without_the_beta_header_there_is_no_assistants_api(replica: ConnectedReplica) -> None:
    answer = replica.http.post("/v1/threads", json={})
    assert answer.status_code == 400
    assert "OpenAI-Beta" in answer.json()["error"]["message"]
