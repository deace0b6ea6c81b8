"""A message sent over HTTP is an ordinary turn: what is sent, stored and answered, also if it goes wrong."""

from __future__ import annotations

import threading
from typing import Any

import httpx2
import pytest

from lib.errors import HistoryUnavailable, ProviderUnavailable, RateLimited
from lib.generation import OFF, Generation
from lib.history import valid_session_id
from lib.messages import Message, Usage, assistant, user
from lib.providers.scripted import Script, ScriptedProvider
from tests.support.app.other_service import overwrite
from tests.support.servers.api_server import SETTINGS, ApiServer
from tests.support.servers.redis_servers import append, commit, live_turn, prompt, say
from tests.support.waiting import wait_until

USAGE = Usage(input_tokens=12, cached_tokens=4, output_tokens=2)
HEALTHY = {"status": "ok"}


def code(response: httpx2.Response) -> tuple[int, str]:
    report = response.json()["error"]
    assert list(report) == ["code", "message", "safe", "next_step"]
    assert all(report.values())
    return response.status_code, report["code"]


def interrupted_on_a_page(served: ApiServer, text: str) -> None:
    """A person's message whose provider failed."""
    provider = ScriptedProvider(Script([], error=ProviderUnavailable("It is down.")))
    service = served.conversations.service
    live = service.send("s", text, SETTINGS, lambda _: provider)
    list(service.follow("s", live.id))
    assert live_turn(served.store, "s").interrupted


def test_a_message_begins_a_chat_and_the_next_one_goes_on(served: ApiServer) -> None:
    served.plays("Hi", "!", usage=USAGE)
    first = served.say("Hello").json()
    assert (list(first), first["reply"]) == (["sessionId", "reply", "usage"], "Hi!")
    assert first["usage"] == USAGE.to_dict()
    assert (first["usage"]["input_tokens"], first["usage"]["reasoning_tokens"]) == (12, None)
    session_id = first["sessionId"]
    assert valid_session_id(session_id)
    served.plays("Four.")
    second = served.say("And 2+2?", sessionId=session_id).json()
    assert (second["sessionId"], second["reply"]) == (session_id, "Four.")
    assert served.texts(session_id) == ["Hello", "Hi!", "And 2+2?", "Four."]
    sent = [message.text for message in served.provider.requests[1].messages]
    assert sent == ["Be brief.", "Hello", "Hi!", "And 2+2?"]
    turns = served.store.turns(session_id)
    assert [(turn.number, turn.reply, turn.usage.input_tokens) for turn in turns] == [
        (1, "Hi!", 12),
        (2, "Four.", None),
    ]
    assert served.store.about(session_id).title == "Hello"


def test_pieces_come_while_the_model_writes(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    served.plays("Hel", "lo \u2028\n“é”", gate=gate, usage=USAGE)
    with served.stream("Say hello", sessionId="s") as events:
        gate.release()
        assert next(events) == ("delta", {"sessionId": "s", "text": "Hel"})
        gate.release(2)
        rest = list(events)
    assert rest[0] == ("delta", {"sessionId": "s", "text": "lo \u2028\n“é”"})
    assert rest[1:] == [("done", {"sessionId": "s", "reply": "Hello \u2028\n“é”", "usage": USAGE.to_dict()})]


def test_a_client_that_leaves_does_not_end_the_turn(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    served.plays("one ", "two", gate=gate)
    with served.stream("Count", sessionId="s") as events:
        gate.release()
        next(events)
    gate.release(2)
    wait_until(lambda: served.texts("s") == ["Count", "one two"])
    assert served.provider.closed == 0


def test_a_second_message_is_refused_while_a_turn_runs(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    served.plays("one", gate=gate)
    with served.stream("Count", sessionId="s") as events:
        refused = served.say("Stop that", sessionId="s")
        assert code(refused) == (409, "turn_in_progress")
        assert int(refused.headers["retry-after"]) >= 1
        gate.release(2)
        assert [name for name, _ in events] == ["delta", "done"]
    served.plays("two")
    assert served.say("Go on", sessionId="s").json()["reply"] == "two"
    assert served.texts("s") == ["Count", "one", "Go on", "two"]


@pytest.mark.parametrize(
    ("error", "expected", "wait"),
    [
        (RateLimited("Too fast.", wait_seconds=6.5), (429, "rate_limited"), "7"),
        (ProviderUnavailable("It is down."), (502, "provider_unavailable"), None),
        (RuntimeError("a fault"), (500, "chat_error"), None),
    ],
)
def test_a_failure_is_reported_and_the_next_message_goes_on(
    served: ApiServer, error: Exception, expected: tuple[int, str], wait: str | None
) -> None:
    served.plays("half", error=error)
    failed = served.say("Hello", sessionId="s")
    assert code(failed) == expected
    assert failed.headers.get("retry-after") == wait
    assert live_turn(served.store, "s").prompt == "Hello"
    served.plays("half", error=error)
    with served.stream("Again", sessionId="s") as events:
        name, data = list(events)[-1]
    assert (name, data["error"]["code"]) == ("error", expected[1])
    served.plays("Fine.")
    assert served.say("Once more", sessionId="s").json()["reply"] == "Fine."
    assert served.texts("s") == ["Once more", "Fine."]
    assert served.store.live("s") is None


def test_a_message_that_a_person_typed_waits_for_that_person(served: ApiServer) -> None:
    interrupted_on_a_page(served, "typed")
    assert code(served.say("from a program", sessionId="s")) == (409, "turn_in_progress")
    assert live_turn(served.store, "s").prompt == "typed"
    served.plays("Yes?")
    assert served.say("typed", sessionId="s").json()["reply"] == "Yes?"
    assert served.texts("s") == ["typed", "Yes?"]


def test_a_person_can_stop_it(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    served.plays("some", "thing", gate=gate)
    with served.stream("Count", sessionId="s") as events:
        gate.release()
        next(events)
        served.conversations.service.stop("s")
        assert list(events)[-1][1]["reply"] == "some"
    assert [turn["status"] for turn in served.client.get("/api/chat/s").json()["turns"]] == ["stopped"]
    gate.release(2)
    served.plays("never", gate=(closed := threading.Semaphore(0)))
    with served.stream("Count", sessionId="s") as events:
        served.conversations.service.stop("s")
        assert [data["error"]["code"] for _, data in events] == ["stopped"]
    closed.release(2)


def test_clearing_ends_the_turn_that_runs(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    served.plays("one", "two", gate=gate)
    with served.stream("Count", sessionId="s") as events:
        gate.release()
        next(events)
        cleared = served.client.delete("/api/chat/s")
        assert (cleared.status_code, cleared.json()) == (200, {"message": "Session cleared"})
        gate.release(2)
        assert [(name, data["error"]["code"]) for name, data in events if name != "delta"] == [("error", "turn_lost")]
    assert served.client.get("/api/chat/s").status_code == 404
    assert served.client.delete("/api/chat/s").json() == {"message": "Session cleared"}


def test_generation_settings_are_for_one_message_and_out_of_bounds_they_are_refused(served: ApiServer) -> None:
    served.plays("a")
    served.say("hello", sessionId="s")
    served.plays("b")
    served.say("hello", sessionId="s", generation={"temperature": 0.5, "topP": None, "maxReplyTokens": 7})
    first, second = (request.generation for request in served.provider.requests)
    assert first == OFF
    assert second == Generation(temperature=0.5, max_reply_tokens=7)
    assert served.provider.requests[1].max_output_tokens == 7
    assert "temperature" not in str(served.store.about("s").settings["generation"])
    refused = served.say("hello", sessionId="s", generation={"temperature": 3})
    assert refused.status_code == 422
    assert "temperature" in refused.text


def test_provider_and_model_are_for_one_message_and_stay_with_a_new_chat(served: ApiServer) -> None:
    for _ in range(3):
        served.plays("ok")
    served.say("a", sessionId="s", provider="other", model="other-2")
    served.say("b", sessionId="s", provider="scripted")
    served.say("c", sessionId="s", provider=None, model=None)
    opened = [(settings.provider, settings.model) for settings in served.conversations.opened]
    assert opened == [("other", "other-2"), ("scripted", "scripted-1"), ("other", "other-2")]
    assert [(turn.provider, turn.model) for turn in served.store.turns("s")] == opened
    unknown = served.say("d", sessionId="new", provider="nobody")
    assert code(unknown) == (422, "invalid_value")
    assert "scripted, other" in unknown.json()["error"]["message"]
    assert served.store.about("new").settings == {}


def test_a_key_in_a_request_is_neither_used_nor_stored(served: ApiServer) -> None:
    served.plays("ok")
    answer = served.say("Hello", sessionId="s", apiKey="sk-from-the-body", api_key="sk-from-the-body")
    assert answer.status_code == 200
    stored = f"{served.store.raw('s')!r} {served.store.turns('s')} {served.store.about('s')}"
    assert "sk-from" not in stored + answer.text + f"{served.conversations.opened}"


def test_reading_shows_what_is_stored_and_changes_nothing(served: ApiServer) -> None:
    for number in range(3):
        say(served.store, "s", f"question {number}", f"answer {number}")
    append(served.store, "s", [Message("tool", [{"type": "text", "text": "é"}], {"n": 1, "tool_call_id": "x"})])
    before = served.store.expires_in("s")
    chat = served.client.get("/api/chat/s?limit=2").json()
    assert (chat["total"], chat["first"]) == (7, 5)
    assert chat["messages"] == [message.to_dict() for message in served.store.load("s")][5:]
    earlier = served.client.get("/api/chat/s?limit=2&before=5").json()
    assert [message["content"] for message in earlier["messages"]] == ["answer 1", "question 2"]
    assert (served.client.get("/api/chat/s?before=0").json()["messages"], chat["live"]) == ([], None)
    after = served.store.expires_in("s")
    assert before is not None
    assert after is not None
    assert after <= before


def test_reading_shows_the_turn_that_is_live(served: ApiServer) -> None:
    live = prompt("Hello")
    served.store.begin("s", live)
    shown = served.client.get("/api/chat/s").json()["live"]
    assert shown == {"prompt": "Hello", "text": "", "interrupted": False, "error": None}
    commit(served.store, "s", live)
    interrupted_on_a_page(served, "typed")
    shown = served.client.get("/api/chat/s").json()["live"]
    assert (shown["interrupted"], shown["error"]["code"]) == (True, "provider_unavailable")


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "before=-1", "before=1.5"])
def test_a_query_that_makes_no_sense_is_refused(served: ApiServer, query: str) -> None:
    say(served.store, "s")
    assert code(served.client.get(f"/api/chat/s?{query}")) == (422, "invalid_value")


def test_half_a_surrogate_pair_comes_and_goes(served: ApiServer) -> None:
    served.plays("\ude00!")
    answer = served.client.post(
        "/api/chat", content=rb'{"message": "\ud83d", "sessionId": "s"}', headers={"content-type": "application/json"}
    )
    assert answer.json()["reply"] == "\ude00!"
    assert list(served.store.load("s")) == [user("\ud83d"), assistant("\ude00!")]
    assert served.client.get("/api/chat/s").json()["messages"][0]["content"] == "\ud83d"


def test_a_stored_number_that_json_cannot_hold_is_null(served: ApiServer) -> None:
    say(served.store, "s")
    overwrite(served.store, "s", [Message("user", [{"n": float("inf")}, 1.5, "\ud83d"])])
    assert served.client.get("/api/chat/s").json()["messages"][0]["content"] == [{"n": None}, 1.5, "\ud83d"]


def test_many_who_wait_do_not_keep_others_waiting(served: ApiServer) -> None:
    gate = threading.Semaphore(0)
    answers: list[Any] = []
    clients = [threading.Thread(target=lambda: answers.append(served.say("Wait").json())) for _ in range(80)]
    for _ in clients:
        served.plays("done", gate=gate)
    for one in clients:
        one.start()
    wait_until(lambda: len(served.provider.requests) == len(clients), "every turn to begin")
    assert served.client.get("/api/health").json() == HEALTHY
    assert served.client.get("/api/chat/nobody").status_code == 404
    gate.release(2 * len(clients))
    for one in clients:
        one.join(30)
    assert [answer["reply"] for answer in answers] == ["done"] * len(clients)


def test_a_store_that_does_not_answer(served: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise HistoryUnavailable("The history store does not answer.")

    assert served.client.get("/api/health").json() == HEALTHY
    monkeypatch.setattr(served.store, "ping", away)
    monkeypatch.setattr(served.store, "load", away)
    for answer in (served.client.get("/api/health"), served.say("Hello", sessionId="s")):
        assert code(answer) == (503, "history_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert "box" not in answer.text
    assert served.provider.requests == []
