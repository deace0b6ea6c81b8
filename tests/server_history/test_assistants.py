"""Assistants threads: every way a run can end, unusual responses, deadlines, and hosts that retired the API."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import pytest

from lib.errors import ConversationGone, InvalidRequest, ProviderUnavailable, RateLimited, Retired
from lib.messages import Message, Usage, assistant, system, user
from lib.server_history import Handle, ServerTurn, ThreadSettings, http_meter
from lib.server_history.adapters.assistants import AssistantsHistory
from lib.server_history.adapters.retirement import retirement
from lib.settings import Endpoint
from tests.support.server_history.server_turns import last_turn, openai_endpoint
from tests.support.servers.openai_routes import Answer, Routes, events

POLLING = ThreadSettings(max_output_tokens=300, poll_seconds=0.01, deadline_seconds=5, stream=False)
HANDLE = Handle("assistants", "m", "Be brief.", (("assistant", "asst_1"), ("thread", "thread_1")))
THREAD = "/v1/threads/thread_1"


def history(routes: Routes, settings: ThreadSettings = POLLING) -> AssistantsHistory:
    return AssistantsHistory(openai_endpoint(routes.url), "key", settings)


def message(id_: str, role: str, text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": id_, "object": "thread.message", "role": role, "content": content, **fields}


def run(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": status, "usage": None, **fields}


def answer_with_run(routes: Routes, *runs: Any, listed: list[dict[str, Any]] | None = None) -> None:
    """Set up a thread whose run is polled through these states."""
    routes.on(f"POST {THREAD}/messages", message("msg_1", "user", "Hello"))
    routes.on(f"POST {THREAD}/runs", run("queued"))
    routes.on(f"GET {THREAD}/runs/run_1", *runs)
    listed = listed or [message("msg_1", "user", "Hello"), message("msg_2", "assistant", "Hi.")]
    routes.on(f"GET {THREAD}/messages", {"object": "list", "data": listed, "has_more": False})
    routes.on(f"POST {THREAD}/runs/run_1/cancel", run("cancelling"))


def turn_on(routes: Routes, settings: ThreadSettings = POLLING) -> ServerTurn:
    return last_turn(history(routes, settings), HANDLE)


USAGE = {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}


def test_a_polled_turn_is_a_message_a_run_polls_and_a_list(routes: Routes) -> None:
    answer_with_run(routes, run("queued"), run("in_progress"), run("completed", usage=USAGE))
    turn = turn_on(routes)
    assert (turn.reply, turn.status, turn.reason, turn.usage) == (
        "Hi.",
        "complete",
        None,
        Usage(40, None, None, 5, None),
    )
    assert [wire.method for wire in turn.wires] == ["POST", "POST", "GET", "GET", "GET", "GET"]
    assert turn.bytes_up == sum(wire.bytes_up for wire in turn.wires[:2])
    assert turn.wires[0].bytes_up == len(json.dumps(routes.requests[0][1], separators=(",", ":")))
    assert all(wire.bytes_down for wire in turn.wires)
    assert turn.ids == (("run", "run_1"),)
    assert turn.handle == HANDLE  # the thread keeps its id
    assert {headers["openai-beta"] for headers in routes.headers} == {"assistants=v2"}


def test_limits_are_sent_and_a_missing_echo_is_noted(routes: Routes) -> None:
    answer_with_run(
        routes, run("completed", usage=USAGE, truncation_strategy={"type": "last_messages", "last_messages": 4})
    )
    turn = turn_on(routes, replace(POLLING, last_messages=4, max_prompt_tokens=2000))
    sent = routes.bodies(f"POST {THREAD}/runs")[0]
    assert sent["truncation_strategy"] == {"type": "last_messages", "last_messages": 4}
    assert (sent["max_prompt_tokens"], sent["max_completion_tokens"]) == (2000, 300)
    assert turn.notes == ("The server did not confirm max_prompt_tokens 2000.",)


@pytest.mark.parametrize(
    ("ended", "status", "reason"),
    [
        (run("incomplete", incomplete_details={"reason": "max_prompt_tokens"}), "incomplete", "max_prompt_tokens"),
        (run("failed", last_error={"code": "server_error", "message": "broke"}), "failed", "server_error: broke"),
        (run("failed", last_error=None), "failed", "failed"),
        (run("expired"), "failed", "expired"),
        (run("cancelled"), "failed", "cancelled"),
        (run("requires_action"), "failed", "requires_action"),
    ],
)
def test_a_run_that_is_not_completed_says_why(routes: Routes, ended: Any, status: str, reason: str) -> None:
    answer_with_run(routes, ended)
    turn = turn_on(routes)
    assert (turn.status, turn.reason) == (status, reason)
    assert turn.reply == ("Hi." if status == "incomplete" else "")
    cancelled = [path for path in routes.paths if path.endswith("/cancel")]
    assert bool(cancelled) == (ended["status"] == "requires_action")


def test_a_run_that_never_ends_is_cancelled_at_the_deadline(routes: Routes) -> None:
    answer_with_run(routes, run("queued"))
    turn = turn_on(routes, replace(POLLING, deadline_seconds=0.3))
    assert turn.status == "failed"
    assert "still queued" in (turn.reason or "")
    assert 250 < turn.duration_ms < 3000
    assert routes.paths[-1] == f"POST {THREAD}/runs/run_1/cancel"


def test_polls_are_as_far_apart_as_the_server_asks(routes: Routes) -> None:
    answer_with_run(routes, Answer(run("queued"), headers={"openai-poll-after-ms": "150"}), run("completed"))
    turn = turn_on(routes)
    assert 150 < turn.duration_ms < 1500


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "absent"])
def test_missing_usage_is_none_and_never_zero(routes: Routes, usage: Any) -> None:
    ended = run("completed", usage=usage)
    if usage == "absent":
        del ended["usage"]
    answer_with_run(routes, ended)
    turn = turn_on(routes)
    assert turn.usage == Usage()
    assert "did not report" in turn.notes[-1]


@pytest.mark.parametrize(
    "content",
    [
        "Hi.",
        [{"type": "text", "text": "Hi."}],
        [{"type": "text", "text": [{"value": "Hi."}]}],
        [{"type": "text", "text": {"value": "Hi."}}, {"type": "image_file", "image_file": {"file_id": "f"}}],
        [{"type": "text", "text": {"value": "H"}}, {"type": "text", "text": {"value": "i."}}],
    ],
)
def test_text_is_found_in_every_known_shape(routes: Routes, content: Any) -> None:
    odd = {**message("msg_2", "assistant", ""), "content": content}
    answer_with_run(routes, run("completed"), listed=[message("msg_1", "user", "Hello"), odd])
    assert turn_on(routes).reply == "Hi."


def test_a_list_in_the_wrong_order_is_turned_even_with_mixed_time_units(routes: Routes) -> None:
    newest_first = [
        message("msg_2", "assistant", "Hi.", created_at=1_790_000_009_000),
        message("msg_1", "user", "Hello", created_at=1_790_000_001),
    ]
    answer_with_run(routes, run("completed"), listed=newest_first)
    assert history(routes).export(HANDLE) == [system("Be brief."), user("Hello"), assistant("Hi.")]
    assert turn_on(routes).reply == "Hi."


def test_older_replies_are_not_taken_for_the_new_one(routes: Routes) -> None:
    listed = [message("msg_a", "user", "x"), message("msg_b", "assistant", "Old."), message("msg_1", "user", "Hello")]
    answer_with_run(routes, run("completed"), listed=[*listed, message("msg_2", "assistant", "Hi.")])
    assert turn_on(routes).reply == "Hi."


def test_an_export_reads_every_page_and_stops_at_one_that_repeats(routes: Routes) -> None:
    first, second = message("msg_1", "user", "Hello"), message("msg_2", "assistant", "Hi.")
    routes.on(
        f"GET {THREAD}/messages",
        {"object": "list", "data": [first], "has_more": True},
        {"object": "list", "data": [second], "has_more": True},  # again and again
    )
    assert history(routes).export(HANDLE) == [system("Be brief."), user("Hello"), assistant("Hi.")]
    assert "after=msg_1" in routes.paths[1]
    assert len(routes.requests) == 3


def delta(text: str) -> tuple[str, Any]:
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return "thread.message.delta", {"id": "msg_2", "object": "thread.message.delta", "delta": {"content": content}}


def test_a_run_can_be_streamed(routes: Routes) -> None:
    answer_with_run(routes, run("completed"))
    routes.on(
        f"POST {THREAD}/runs",
        events(
            ("thread.run.created", run("queued")),
            ("thread.run.step.created", {"id": "step_1", "object": "thread.run.step", "status": "in_progress"}),
            delta("H"),
            delta("i."),
            ("thread.run.completed", run("completed", usage=USAGE)),
            ("done", "[DONE]"),
        ),
    )
    turn = turn_on(routes, replace(POLLING, stream=True))
    assert (turn.reply, turn.status, turn.usage.input_tokens) == ("Hi.", "complete", 40)
    assert len(turn.wires) == 2
    assert turn.notes == ()


def test_a_stream_that_breaks_off_is_polled_to_its_end(routes: Routes) -> None:
    answer_with_run(routes, run("completed", usage=USAGE))
    routes.on(f"POST {THREAD}/runs", events(("thread.run.created", run("queued")), delta("Hi.")))
    turn = turn_on(routes, replace(POLLING, stream=True))
    assert (turn.status, turn.usage.input_tokens, len(turn.wires)) == ("complete", 40, 3)


def test_an_error_in_a_stream_is_translated(routes: Routes) -> None:
    answer_with_run(routes, run("completed"))
    error = {"error": {"code": "rate_limit_exceeded", "message": "slow down", "type": "server_error"}}
    routes.on(f"POST {THREAD}/runs", events(("thread.run.created", run("queued")), ("error", error)))
    with pytest.raises(RateLimited, match="slow down"):
        turn_on(routes, replace(POLLING, stream=True))


def test_a_server_without_threads_is_named_as_such(routes: Routes) -> None:
    with pytest.raises(InvalidRequest, match="does not speak Assistants threads") as caught:
        history(routes).create("Be brief.")
    assert "Choose another way" in caught.value.next_step
    assert len(routes.requests) == 1  # nothing else was tried


def test_an_assistant_without_a_thread_is_not_left_behind(routes: Routes) -> None:
    routes.on("POST /v1/assistants", {"id": "asst_1", "object": "assistant"})
    routes.on("DELETE /v1/assistants/asst_1", {"id": "asst_1", "deleted": True})
    with pytest.raises(InvalidRequest, match="does not speak"):
        history(routes).create("Be brief.")
    assert routes.paths[-1] == "DELETE /v1/assistants/asst_1"


def test_an_assistant_without_an_id_is_refused(routes: Routes) -> None:
    routes.on("POST /v1/assistants", {"object": "assistant"})
    with pytest.raises(ProviderUnavailable, match="not as a model server does"):
        history(routes).create("Be brief.")


def test_a_missing_thread_raises_conversation_gone(routes: Routes) -> None:
    for call in (lambda: turn_on(routes), lambda: history(routes).export(HANDLE)):
        with pytest.raises(ConversationGone, match="thread_1"):
            call()
    with pytest.raises(ConversationGone, match="never created"):
        list(history(routes).send(Handle("assistants", "m"), "Hello"))


def test_a_deletion_that_did_not_happen_is_not_proven(routes: Routes) -> None:
    deletion = history(routes).delete(HANDLE)  # 404 for everything: it may never have had them
    assert not deletion.proven
    assert "Not proven for 2 of 2" in deletion.sentence
    routes.on(f"DELETE {THREAD}", {"deleted": True})
    routes.on(f"GET {THREAD}", {"id": "thread_1"})
    deletion = history(routes).delete(HANDLE)
    assert [(item.delete_status, item.read_status) for item in deletion.items] == [(200, 200), (404, 404)]


def test_the_sdks_deprecation_warnings_are_hidden_and_no_others(routes: Routes) -> None:
    answer_with_run(routes, run("completed"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        turn_on(routes)
        warnings.warn("not the SDK's", DeprecationWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["not the SDK's"]


RETIRED = [
    None,
    "https://api.openai.com/v1",
    "https://API.OpenAI.com./v1",
    "https://eu.api.openai.com/v1",
    "https://mine.openai.azure.com/openai/v1",
    "https://mine.services.ai.azure.com/openai/v1",
    "https://mine.cognitiveservices.azure.com/openai/v1",
]


@pytest.mark.parametrize("url", RETIRED)
def test_nothing_is_sent_to_a_retired_host(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def shared_client(_: str) -> Any:
        raise AssertionError("something was about to be sent")

    monkeypatch.setattr(http_meter, "shared_client", shared_client)
    retired = AssistantsHistory(
        Endpoint("openai", "openai", "OpenAI", base_url=url, model="m", needs_key=True), None, POLLING
    )
    calls = (
        lambda: retired.create("x"),
        lambda: list(retired.send(HANDLE, "x")),
        lambda: retired.export(HANDLE),
        lambda: retired.delete(HANDLE),
    )
    for call in calls:
        with pytest.raises(Retired, match="switched off on 2026-08-26") as caught:
            call()
        assert caught.value.safe == "Nothing was sent."
        assert "Conversations" in caught.value.next_step
        assert not caught.value.retryable


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "https://openai.com.example/v1", "https://notopenai.com/v1"])
def test_other_hosts_are_not_retired(url: str) -> None:
    assert retirement(url) is None


def test_not_even_a_redirect_leads_to_a_retired_host(routes: Routes) -> None:
    routes.on("POST /v1/assistants", Answer("", 307, {"Location": "https://api.openai.com/v1/assistants"}))
    with pytest.raises(Retired, match=r"api\.openai\.com"):
        history(routes).create("Be brief.")


def test_a_message_without_text_is_exported_empty(routes: Routes) -> None:
    listed = [{"id": "msg_1", "role": "user", "content": None}]
    answer_with_run(routes, run("completed"), listed=listed)
    assert history(routes).export(HANDLE) == [system("Be brief."), Message("user", "")]
