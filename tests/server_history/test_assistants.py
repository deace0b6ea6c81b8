"""Assistants threads: runs that end in every way there is, odd shapes, deadlines, and hosts that switched them off."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import pytest

from lib.errors import ConversationGone, InvalidRequest, ProviderUnavailable, RateLimited, Retired
from lib.messages import Message, Usage, assistant, system, user
from lib.server_history import Handle, ServerTurn, ThreadSettings
from lib.server_history import http_meter as measuring_module
from lib.server_history.adapters.assistants import AssistantsHistory, retirement
from lib.settings import Endpoint
from tests.support.openai_routes import Answer, Routes, events

QUICK = ThreadSettings(max_output_tokens=300, poll_seconds=0.01, deadline_seconds=5, stream=False)
HANDLE = Handle("assistants", "m", "Be brief.", (("assistant", "asst_1"), ("thread", "thread_1")))
T = "/v1/threads/thread_1"


def history(routes: Routes, settings: ThreadSettings = QUICK) -> AssistantsHistory:
    return AssistantsHistory(Endpoint("it", "openai", "It", base_url=routes.url, model="m"), "key", settings)


def message(id_: str, role: str, text: str, **fields: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}}]
    return {"id": id_, "object": "thread.message", "role": role, "content": content, **fields}


def run(status: str, **fields: Any) -> dict[str, Any]:
    return {"id": "run_1", "object": "thread.run", "thread_id": "thread_1", "status": status, "usage": None, **fields}


def answering(routes: Routes, *runs: Any, listed: list[dict[str, Any]] | None = None) -> None:
    """A thread in which the run goes through these states."""
    routes.on(f"POST {T}/messages", message("msg_1", "user", "Hello"))
    routes.on(f"POST {T}/runs", run("queued"))
    routes.on(f"GET {T}/runs/run_1", *runs)
    listed = listed or [message("msg_1", "user", "Hello"), message("msg_2", "assistant", "Hi.")]
    routes.on(f"GET {T}/messages", {"object": "list", "data": listed, "has_more": False})
    routes.on(f"POST {T}/runs/run_1/cancel", run("cancelling"))


def end_of(routes: Routes, settings: ThreadSettings = QUICK) -> ServerTurn:
    *_, turn = history(routes, settings).send(HANDLE, "Hello")
    assert isinstance(turn, ServerTurn)
    return turn


USAGE = {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45}


def test_a_turn_is_a_message_a_run_polls_and_a_list(routes: Routes) -> None:
    answering(routes, run("queued"), run("in_progress"), run("completed", usage=USAGE))
    turn = end_of(routes)
    assert (turn.reply, turn.status, turn.reason, turn.usage) == (
        "Hi.",
        "complete",
        None,
        Usage(40, None, None, 5, None),
    )
    assert [wire.method for wire in turn.wires] == ["POST", "POST", "GET", "GET", "GET", "GET"]
    assert turn.bytes_up == sum(wire.bytes_up for wire in turn.wires[:2])
    assert turn.wires[0].bytes_up == len(json.dumps(routes.asked[0][1], separators=(",", ":")))
    assert all(wire.bytes_down for wire in turn.wires)
    assert turn.ids == (("run", "run_1"),)
    assert turn.handle == HANDLE  # a thread's id does not change
    assert {headers["openai-beta"] for headers in routes.headers} == {"assistants=v2"}


def test_limits_are_sent_and_a_missing_echo_is_noted(routes: Routes) -> None:
    answering(routes, run("completed", usage=USAGE, truncation_strategy={"type": "last_messages", "last_messages": 4}))
    turn = end_of(routes, replace(QUICK, last_messages=4, max_prompt_tokens=2000))
    sent = routes.bodies(f"POST {T}/runs")[0]
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
def test_a_run_may_end_in_other_ways(routes: Routes, ended: Any, status: str, reason: str) -> None:
    answering(routes, ended)
    turn = end_of(routes)
    assert (turn.status, turn.reason) == (status, reason)
    assert turn.reply == ("Hi." if status == "incomplete" else "")
    cancelled = [asked for asked, _ in routes.asked if asked.endswith("/cancel")]
    assert bool(cancelled) == (ended["status"] == "requires_action")


def test_a_run_that_never_ends_is_given_up_and_asked_to_stop(routes: Routes) -> None:
    answering(routes, run("queued"))
    turn = end_of(routes, replace(QUICK, deadline_seconds=0.3))
    assert turn.status == "failed"
    assert "still queued" in (turn.reason or "")
    assert 250 < turn.duration_ms < 3000
    assert routes.asked[-1][0] == f"POST {T}/runs/run_1/cancel"


def test_the_server_says_how_long_to_wait_between_polls(routes: Routes) -> None:
    answering(routes, Answer(run("queued"), headers={"openai-poll-after-ms": "150"}), run("completed"))
    turn = end_of(routes)
    assert 150 < turn.duration_ms < 1500


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "absent"])
def test_usage_that_is_no_report_is_none_and_never_zero(routes: Routes, usage: Any) -> None:
    ended = run("completed", usage=usage)
    if usage == "absent":
        del ended["usage"]
    answering(routes, ended)
    turn = end_of(routes)
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
def test_text_is_found_whatever_its_shape(routes: Routes, content: Any) -> None:
    odd = {**message("msg_2", "assistant", ""), "content": content}
    answering(routes, run("completed"), listed=[message("msg_1", "user", "Hello"), odd])
    assert end_of(routes).reply == "Hi."


def test_a_list_the_wrong_way_round_is_turned_whatever_its_clocks_are(routes: Routes) -> None:
    newest_first = [
        message("msg_2", "assistant", "Hi.", created_at=1_790_000_009_000),
        message("msg_1", "user", "Hello", created_at=1_790_000_001),
    ]
    answering(routes, run("completed"), listed=newest_first)
    assert history(routes).export(HANDLE) == [system("Be brief."), user("Hello"), assistant("Hi.")]
    assert end_of(routes).reply == "Hi."


def test_older_replies_are_not_taken_for_the_new_one(routes: Routes) -> None:
    listed = [message("msg_a", "user", "x"), message("msg_b", "assistant", "Old."), message("msg_1", "user", "Hello")]
    answering(routes, run("completed"), listed=[*listed, message("msg_2", "assistant", "Hi.")])
    assert end_of(routes).reply == "Hi."


def test_an_export_reads_every_page_and_stops_at_one_that_repeats(routes: Routes) -> None:
    first, second = message("msg_1", "user", "Hello"), message("msg_2", "assistant", "Hi.")
    routes.on(
        f"GET {T}/messages",
        {"object": "list", "data": [first], "has_more": True},
        {"object": "list", "data": [second], "has_more": True},  # and again for ever
    )
    assert history(routes).export(HANDLE) == [system("Be brief."), user("Hello"), assistant("Hi.")]
    assert "after=msg_1" in routes.asked[1][0]
    assert len(routes.asked) == 3


def delta(text: str) -> tuple[str, Any]:
    content = [{"index": 0, "type": "text", "text": {"value": text}}]
    return "thread.message.delta", {"id": "msg_2", "object": "thread.message.delta", "delta": {"content": content}}


def test_a_run_can_be_streamed(routes: Routes) -> None:
    answering(routes, run("completed"))
    routes.on(
        f"POST {T}/runs",
        events(
            ("thread.run.created", run("queued")),
            ("thread.run.step.created", {"id": "step_1", "object": "thread.run.step", "status": "in_progress"}),
            delta("H"),
            delta("i."),
            ("thread.run.completed", run("completed", usage=USAGE)),
            ("done", "[DONE]"),
        ),
    )
    turn = end_of(routes, replace(QUICK, stream=True))
    assert (turn.reply, turn.status, turn.usage.input_tokens) == ("Hi.", "complete", 40)
    assert len(turn.wires) == 2
    assert turn.notes == ()


def test_a_stream_that_breaks_off_is_polled_to_its_end(routes: Routes) -> None:
    answering(routes, run("completed", usage=USAGE))
    routes.on(f"POST {T}/runs", events(("thread.run.created", run("queued")), delta("Hi.")))
    turn = end_of(routes, replace(QUICK, stream=True))
    assert (turn.status, turn.usage.input_tokens, len(turn.wires)) == ("complete", 40, 3)


def test_an_error_in_a_stream_is_translated(routes: Routes) -> None:
    answering(routes, run("completed"))
    error = {"error": {"code": "rate_limit_exceeded", "message": "slow down", "type": "server_error"}}
    routes.on(f"POST {T}/runs", events(("thread.run.created", run("queued")), ("error", error)))
    with pytest.raises(RateLimited, match="slow down"):
        end_of(routes, replace(QUICK, stream=True))


def test_a_server_that_has_no_threads_is_said_to_have_none(routes: Routes) -> None:
    with pytest.raises(InvalidRequest, match="does not speak Assistants threads") as caught:
        history(routes).create("Be brief.")
    assert "Choose another way" in caught.value.next_step
    assert len(routes.asked) == 1  # and nothing else was tried


def test_an_assistant_without_a_thread_is_not_left_behind(routes: Routes) -> None:
    routes.on("POST /v1/assistants", {"id": "asst_1", "object": "assistant"})
    routes.on("DELETE /v1/assistants/asst_1", {"id": "asst_1", "deleted": True})
    with pytest.raises(InvalidRequest, match="does not speak"):
        history(routes).create("Be brief.")
    assert routes.asked[-1][0] == "DELETE /v1/assistants/asst_1"


def test_something_that_is_no_assistant_is_not_taken_for_one(routes: Routes) -> None:
    routes.on("POST /v1/assistants", {"object": "assistant"})
    with pytest.raises(ProviderUnavailable, match="not as a model server does"):
        history(routes).create("Be brief.")


def test_a_thread_that_is_gone_is_said_to_be(routes: Routes) -> None:
    for call in (lambda: end_of(routes), lambda: history(routes).export(HANDLE)):
        with pytest.raises(ConversationGone, match="thread_1"):
            call()
    with pytest.raises(ConversationGone, match="never created"):
        list(history(routes).send(Handle("assistants", "m"), "Hello"))


def test_a_deletion_that_did_not_happen_is_not_proven(routes: Routes) -> None:
    deletion = history(routes).delete(HANDLE)  # 404 for everything: perhaps it never had them
    assert not deletion.proven
    assert "Not proven for 2 of 2" in deletion.words
    routes.on(f"DELETE {T}", {"deleted": True})
    routes.on(f"GET {T}", {"id": "thread_1"})
    assert [(gone.answered, gone.reread) for gone in history(routes).delete(HANDLE).things] == [(200, 200), (404, 404)]


def test_no_warning_reaches_people_and_none_is_silenced_for_others(routes: Routes) -> None:
    answering(routes, run("completed"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        end_of(routes)
        warnings.warn("another part's own", DeprecationWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["another part's own"]


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
def test_nothing_is_sent_where_threads_were_switched_off(url: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def shared_client(_: str) -> Any:
        raise AssertionError("something was about to be sent")

    monkeypatch.setattr(measuring_module, "shared_client", shared_client)
    there = AssistantsHistory(
        Endpoint("openai", "openai", "OpenAI", base_url=url, model="m", needs_key=True), None, QUICK
    )
    calls = (
        lambda: there.create("x"),
        lambda: list(there.send(HANDLE, "x")),
        lambda: there.export(HANDLE),
        lambda: there.delete(HANDLE),
    )
    for call in calls:
        with pytest.raises(Retired, match="switched off on 2026-08-26") as caught:
            call()
        assert caught.value.safe == "Nothing was sent."
        assert "Conversations" in caught.value.next_step
        assert not caught.value.retryable


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "https://openai.com.example/v1", "https://notopenai.com/v1"])
def test_other_hosts_are_asked(url: str) -> None:
    assert retirement(url) is None


def test_not_even_a_redirect_leads_there(routes: Routes) -> None:
    routes.on("POST /v1/assistants", Answer("", 307, {"Location": "https://api.openai.com/v1/assistants"}))
    with pytest.raises(Retired, match=r"api\.openai\.com"):
        history(routes).create("Be brief.")


def test_messages_that_are_not_text_are_kept_as_what_text_they_have(routes: Routes) -> None:
    listed = [{"id": "msg_1", "role": "user", "content": None}]
    answering(routes, run("completed"), listed=listed)
    assert history(routes).export(HANDLE) == [system("Be brief."), Message("user", "")]
