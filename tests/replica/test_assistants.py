"""Assistants, threads and runs of the replica, through the real openai SDK (which says that they are deprecated)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import openai
import pytest
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Message, Run
from openai.types.beta.threads.runs import RunStep

from tests.support.replica_rig import Rig, deprecated

ORDER = [
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
    with deprecated():
        yield


def assistant(rig: Rig, **more: Any) -> str:
    return rig.openai.beta.assistants.create(model="any", **more).id


def thread(rig: Rig, *texts: str) -> str:
    return rig.openai.beta.threads.create(messages=[{"role": "user", "content": text} for text in texts]).id


def run(rig: Rig, thread_id: str, **more: Any) -> Run:
    wanted = {"assistant_id": more.pop("assistant_id", None) or assistant(rig), **more}
    return rig.openai.beta.threads.runs.create_and_poll(thread_id=thread_id, **wanted)


def gated(rig: Rig) -> tuple[str, Run]:
    """A thread with a run that has written one word and waits."""
    rig.words.gate = threading.Event()
    thread_id = thread(rig, "hello")
    started = rig.openai.beta.threads.runs.create(thread_id, assistant_id=assistant(rig))
    deadline = time.monotonic() + 10
    while len(texts(rig, thread_id)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return thread_id, started


def ended(rig: Rig, thread_id: str, run_id: str) -> Run:
    return rig.openai.beta.threads.runs.poll(run_id, thread_id=thread_id, poll_interval_ms=10)


def texts(rig: Rig, thread_id: str) -> list[str]:
    listed = rig.openai.beta.threads.messages.list(thread_id, order="asc")
    return ["".join(part.text.value for part in message.content) for message in listed]  # type: ignore[union-attr]


def test_the_sdk_calls_them_deprecated_and_nothing_else_warns(rig: Rig) -> None:
    with pytest.warns(DeprecationWarning, match="Assistants API is deprecated"):
        rig.openai.beta.threads.create()


def test_a_whole_turn_has_the_shapes_the_sdk_declares(rig: Rig) -> None:
    made = rig.openai.beta.assistants.create(model="any", name="Helper", instructions="be kind", metadata={"a": "b"})
    talk = rig.openai.beta.threads.create(metadata={"who": "me"})
    said = rig.openai.beta.threads.messages.create(talk.id, role="user", content="hello")
    done = run(rig, talk.id, assistant_id=made.id)
    answer = rig.openai.beta.threads.messages.list(talk.id).data[0]
    steps = rig.openai.beta.threads.runs.steps.list(done.id, thread_id=talk.id).data
    for value, kind in (
        (made, Assistant),
        (talk, Thread),
        (said, Message),
        (answer, Message),
        (done, Run),
        (steps[0], RunStep),
    ):
        kind.model_validate(value.model_dump(), strict=True)
    prefixes = [value.id.split("_")[0] for value in (made, talk, said, done, steps[0])]
    assert prefixes == ["asst", "thread", "msg", "run", "step"]
    assert (done.status, done.instructions, answer.run_id, answer.assistant_id) == (
        "completed",
        "be kind",
        done.id,
        made.id,
    )
    assert rig.words.last == [("system", "be kind"), ("user", "hello")]
    assert rig.openai.beta.threads.retrieve(talk.id) == talk
    assert rig.openai.beta.assistants.retrieve(made.id) == made
    assert rig.openai.beta.threads.messages.retrieve(said.id, thread_id=talk.id) == said
    assert steps[0].step_details.message_creation.message_id == answer.id  # type: ignore[union-attr]


def test_the_thread_holds_the_history_and_the_model_is_sent_all_of_it(rig: Rig) -> None:
    who, talk = assistant(rig), thread(rig, "one")
    first = run(rig, talk, assistant_id=who)
    rig.openai.beta.threads.messages.create(talk, role="user", content=[{"type": "text", "text": "two"}])
    second = run(rig, talk, assistant_id=who, additional_messages=[{"role": "user", "content": "three"}])
    assert [text for _, text in rig.words.last] == ["one", "fine thanks", "two", "three"]
    assert first.usage is not None
    assert second.usage is not None
    assert (first.usage.prompt_tokens, second.usage.prompt_tokens) == (3, 3 + 4 + 3 + 3)
    assert second.usage.total_tokens == second.usage.prompt_tokens + second.usage.completion_tokens
    listed = rig.openai.beta.threads.runs.list(talk).data
    assert [entry.id for entry in listed] == [second.id, first.id]


def test_usage_is_null_until_the_run_is_over_and_polls_are_told_when_to_come_back(rig: Rig) -> None:
    talk, started = gated(rig)
    raw = rig.openai.beta.threads.runs.with_raw_response.retrieve(started.id, thread_id=talk)
    assert raw.headers["openai-poll-after-ms"] == "200"
    assert (started.status, raw.parse().status, raw.parse().usage) == ("queued", "in_progress", None)
    assert rig.words.gate is not None
    rig.words.gate.set()
    assert ended(rig, talk, started.id).usage is not None


def test_events_come_in_the_documented_order(rig: Rig) -> None:
    talk = thread(rig, "hi")
    stream = rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig), stream=True)
    assert [event.event for event in stream] == ORDER


def test_creating_a_thread_and_running_it_is_one_request(rig: Rig) -> None:
    given: Any = {"messages": [{"role": "user", "content": "hi"}]}
    stream = rig.openai.beta.threads.create_and_run(assistant_id=assistant(rig), thread=given, stream=True)
    assert [event.event for event in stream] == ["thread.created", *ORDER]
    polled = rig.openai.beta.threads.create_and_run_poll(assistant_id=assistant(rig), thread=given)
    assert polled.status == "completed"


def test_the_sdks_own_stream_helper_reads_it(rig: Rig) -> None:
    talk = thread(rig, "hi")
    with rig.openai.beta.threads.runs.stream(thread_id=talk, assistant_id=assistant(rig)) as stream:
        assert "".join(stream.text_deltas) == "fine thanks"
        assert stream.get_final_run().status == "completed"
        assert stream.get_final_messages()[0].status == "completed"
    rig.openai.beta.threads.messages.create(talk, role="user", content="the thread is free at once")


def test_auto_truncation_leaves_out_the_middle(rig: Rig) -> None:
    talk = thread(rig, *(f"n{n} " + "x " * 57 for n in range(9)))
    done = run(rig, talk, instructions="be kind")
    kept = [text.split()[0] for role, text in rig.words.last if role == "user"]
    assert done.status == "completed"
    assert kept[0] == "n0"
    assert kept[-1] == "n8"
    assert 2 < len(kept) < 9
    numbers = [int(name[1:]) for name in kept]
    gaps = [right - left for left, right in pairwise(numbers)]
    assert sorted(gaps)[:-1] == [1] * (len(gaps) - 1)  # one gap, and it is inside
    assert done.usage is not None
    assert done.usage.prompt_tokens <= 400
    assert len(texts(rig, talk)) == 10  # all of it is still held
    assert done.truncation_strategy is not None
    assert done.truncation_strategy.type == "auto"  # and nothing says what was left out


def test_last_messages_keeps_the_newest(rig: Rig) -> None:
    talk = thread(rig, "one", "two", "three", "four")
    done = run(rig, talk, truncation_strategy={"type": "last_messages", "last_messages": 2})
    assert [text for _, text in rig.words.last] == ["three", "four"]
    assert done.truncation_strategy is not None
    assert done.truncation_strategy.last_messages == 2


def test_max_prompt_tokens_trims_the_middle_first(rig: Rig) -> None:
    talk = thread(rig, "first " + "x " * 97, "second " + "x " * 97, "third " + "x " * 97)
    done = run(rig, talk, max_prompt_tokens=256)
    assert done.status == "completed"
    assert [text.split()[0] for _, text in rig.words.last] == ["first", "third"]


def test_a_prompt_that_cannot_be_kept_below_max_prompt_tokens_ends_incomplete(rig: Rig) -> None:
    done = run(rig, thread(rig, "x " * 280), max_prompt_tokens=256)
    assert done.status == "incomplete"
    assert done.incomplete_details is not None
    assert done.incomplete_details.reason == "max_prompt_tokens"
    assert rig.words.bodies == []


def test_a_prompt_larger_than_the_window_fails(rig: Rig) -> None:
    done = run(rig, thread(rig, "x " * 500))
    assert done.status == "failed"
    assert done.last_error is not None
    assert done.last_error.code == "invalid_prompt"
    assert "400 tokens" in done.last_error.message


def test_max_completion_tokens_ends_incomplete_with_the_words_so_far(rig: Rig) -> None:
    rig.words.reply = "word " * 300
    talk = thread(rig, "hi")
    done = run(rig, talk, max_completion_tokens=256)
    assert (done.status, done.incomplete_details and done.incomplete_details.reason) == (
        "incomplete",
        "max_completion_tokens",
    )
    message = rig.openai.beta.threads.messages.list(talk).data[0]
    assert (message.status, message.incomplete_details and message.incomplete_details.reason) == (
        "incomplete",
        "max_tokens",
    )
    assert len(texts(rig, talk)[-1].split()) == 256


@pytest.mark.parametrize(("status", "code"), [(500, "server_error"), (429, "rate_limit_exceeded")])
def test_a_run_whose_model_fails_says_so(rig: Rig, status: int, code: str) -> None:
    rig.words.error = (status, {"error": {"message": "no"}})
    talk = thread(rig, "hi")
    done = run(rig, talk)
    assert (done.status, done.last_error and done.last_error.code) == ("failed", code)
    assert done.failed_at is not None
    assert texts(rig, talk) == ["hi"]
    rig.words.error = None
    assert run(rig, talk).status == "completed"


def test_a_run_whose_model_breaks_off_leaves_an_incomplete_message(rig: Rig) -> None:
    rig.words.break_off = True
    talk = thread(rig, "hi")
    stream = rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig), stream=True)
    names = [event.event for event in stream]
    assert names[-3:] == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.failed"]
    message = rig.openai.beta.threads.messages.list(talk).data[0]
    assert message.incomplete_details is not None
    assert message.incomplete_details.reason == "run_failed"


def test_while_a_run_is_active_the_thread_takes_nothing(rig: Rig) -> None:
    talk, started = gated(rig)
    with pytest.raises(
        openai.BadRequestError, match=f"Can't add messages to {talk} while a run {started.id} is active."
    ):
        rig.openai.beta.threads.messages.create(talk, role="user", content="me too")
    with pytest.raises(openai.BadRequestError, match=f"Thread {talk} already has an active run {started.id}."):
        rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig))
    assert rig.words.gate is not None
    rig.words.gate.set()
    assert ended(rig, talk, started.id).status == "completed"


def test_a_run_can_be_cancelled_and_keeps_what_was_written(rig: Rig) -> None:
    talk, started = gated(rig)
    assert rig.openai.beta.threads.runs.cancel(started.id, thread_id=talk).status == "cancelling"
    done = ended(rig, talk, started.id)
    assert (done.status, done.cancelled_at) == ("cancelled", 1_795_000_000)
    message = rig.openai.beta.threads.messages.list(talk).data[0]
    assert (message.status, message.incomplete_details and message.incomplete_details.reason) == (
        "incomplete",
        "run_cancelled",
    )
    assert texts(rig, talk) == ["hello", "fine"]
    assert rig.words.cut_off.wait(10)  # the model was told, too
    with pytest.raises(openai.BadRequestError, match=r"Cannot cancel run with status 'cancelled'\."):
        rig.openai.beta.threads.runs.cancel(started.id, thread_id=talk)
    rig.words.gate = None
    assert run(rig, talk).status == "completed"


def test_a_streamed_run_that_is_cancelled_says_so_in_order(rig: Rig) -> None:
    rig.words.gate = threading.Event()
    talk = thread(rig, "hi")
    stream = rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig), stream=True)
    first = next(event for event in stream if event.event == "thread.message.delta")
    active = rig.contents()["threads"][0]["active_run"]
    rig.openai.beta.threads.runs.cancel(active, thread_id=talk)
    assert first.data.id
    assert [event.event for event in stream] == [
        "thread.run.cancelling",
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
    ]


def test_a_run_can_expire(rig: Rig) -> None:
    talk, started = gated(rig)
    assert rig.expire(started.id).status_code == 200
    assert ended(rig, talk, started.id).status == "expired"
    assert rig.expire(started.id).status_code == 404  # it is over


def test_a_run_goes_on_when_its_reader_leaves(rig: Rig) -> None:
    rig.words.gate = threading.Event()
    talk = thread(rig, "hi")
    stream = rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig), stream=True)
    next(event for event in stream if event.event == "thread.message.delta")
    active = rig.contents()["threads"][0]["active_run"]
    stream.close()
    rig.words.gate.set()
    assert ended(rig, talk, active).status == "completed"
    assert texts(rig, talk) == ["hi", "fine thanks"]


def test_deleting_a_thread_deletes_it(rig: Rig) -> None:
    talk, started = gated(rig)
    gone = rig.openai.beta.threads.delete(talk)
    assert (gone.object, gone.deleted) == ("thread.deleted", True)
    assert rig.words.cut_off.wait(10)
    for call in (
        lambda: rig.openai.beta.threads.retrieve(talk),
        lambda: rig.openai.beta.threads.delete(talk),
        lambda: rig.openai.beta.threads.messages.list(talk),
        lambda: rig.openai.beta.threads.runs.retrieve(started.id, thread_id=talk),
    ):
        with pytest.raises(openai.NotFoundError, match=f"No thread found with id '{talk}'.") as caught:
            call()
        assert (caught.value.type, caught.value.code, caught.value.param) == ("invalid_request_error", None, None)
    assert rig.contents()["threads"] == []


def test_what_is_not_there_is_not_found_by_name(rig: Rig) -> None:
    talk, who = thread(rig, "hi"), assistant(rig)
    gone = rig.openai.beta.assistants.delete(who)
    assert (gone.object, gone.deleted) == ("assistant.deleted", True)
    for call, what in (
        (lambda: rig.openai.beta.assistants.retrieve(who), "No assistant found"),
        (lambda: rig.openai.beta.threads.runs.create(talk, assistant_id=who), "No assistant found"),
        (lambda: rig.openai.beta.threads.messages.retrieve("msg_1", thread_id=talk), "No message found"),
        (lambda: rig.openai.beta.threads.runs.retrieve("run_1", thread_id=talk), "No run found"),
    ):
        with pytest.raises(openai.NotFoundError, match=what):
            call()


def test_messages_are_paged(rig: Rig) -> None:
    talk = thread(rig, *(f"n{n}" for n in range(25)))
    page = rig.openai.beta.threads.messages.list(talk)
    assert (len(page.data), page.has_more, page.data[0].content[0].text.value) == (20, True, "n24")  # type: ignore[union-attr]
    every = list(rig.openai.beta.threads.messages.list(talk, limit=4))
    assert len({message.id for message in every}) == 25
    until = rig.openai.beta.threads.messages.list(talk, order="asc", before=every[-3].id)
    assert [message.content[0].text.value for message in until.data] == ["n0", "n1"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        ({"max_prompt_tokens": 255}, "Expected a value >= 256"),
        ({"max_completion_tokens": 1}, "Expected a value >= 256"),
        ({"truncation_strategy": {"type": "oldest"}}, "Supported values are: 'auto' and 'last_messages'"),
        ({"truncation_strategy": {"type": "last_messages"}}, "last_messages"),
        ({"tools": [{"type": "file_search"}]}, "'tools' is not supported"),
        ({"additional_messages": [{"role": "system", "content": "x"}]}, "Supported values are: 'user' and 'assistant'"),
    ],
)
def test_runs_that_cannot_be_are_refused_and_leave_no_trace(rig: Rig, request_: dict[str, Any], what: str) -> None:
    talk = thread(rig, "hi")
    with pytest.raises(openai.BadRequestError, match=what):
        rig.openai.beta.threads.runs.create(talk, assistant_id=assistant(rig), **request_)
    held = rig.contents()["threads"][0]
    assert (held["active_run"], held["runs"], len(held["messages"])) == (None, [], 1)


def test_without_the_beta_header_there_is_no_assistants_api(rig: Rig) -> None:
    answer = rig.http.post("/v1/threads", json={})
    assert answer.status_code == 400
    assert "OpenAI-Beta" in answer.json()["error"]["message"]
