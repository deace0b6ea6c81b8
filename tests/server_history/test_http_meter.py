"""HTTP metering, and the values around it: handles, deletions, facts, and reading server responses."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterator

import httpx2
import pytest

from lib.messages import Message, Usage, assistant, user
from lib.providers import TextDelta
from lib.providers.scripted import Script, ScriptedProvider
from lib.server_history import DeletedItem, Deletion, Fact, Facts, Handle, ServerTurn, Wire
from lib.server_history.adapters.manual import ManualHistory
from lib.server_history.factory import APPROACHES_OF_KIND, open_server_history
from lib.server_history.http_meter import MeteredTurn, metered_client
from lib.server_history.reference import FACTS
from lib.server_history.sdk_values import seconds_of, text_of, without_repeats
from lib.settings import Endpoint, EndpointKind
from tests.support.servers.openai_routes import Answer, Routes
from tests.support.servers.replay_server import Replay


def test_bytes_are_counted_as_transmitted(replay: Replay) -> None:
    replay.status, replay.headers = 200, {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    replay.body = gzip.compress(b"a" * 10_000)
    wires: list[Wire] = []
    with metered_client(replay.url, wires) as client:
        assert client.post(f"{replay.url}/x?y=1", content=b"12345").text == "a" * 10_000
    assert (len(wires), wires[0].bytes_up, wires[0].bytes_down) == (1, 5, len(replay.body))
    assert (wires[0].method, wires[0].path, wires[0].status) == ("POST", "/x", 200)
    assert replay.received == [b"12345"]


def test_a_redirect_is_recorded_as_a_request(routes: Routes) -> None:
    routes.on("POST /v1/a", Answer("", 307, {"Location": f"{routes.url}/b"}))
    routes.on("POST /v1/b", {"ok": True})
    wires: list[Wire] = []
    with metered_client(routes.url, wires) as client:
        client.post(f"{routes.url}/a", content=b"{}")
    assert [(wire.path, wire.status, wire.bytes_up) for wire in wires] == [("/v1/a", 307, 2), ("/v1/b", 200, 2)]


def test_a_request_without_an_answer_is_recorded() -> None:
    wires: list[Wire] = []
    with metered_client("http://127.0.0.1:9", wires) as client, pytest.raises(httpx2.ConnectError):
        client.post("http://127.0.0.1:9/x", content=b"123")
    assert [(wire.bytes_up, wire.bytes_down, wire.status) for wire in wires] == [(3, None, None)]


def test_two_turns_at_once_record_separately(routes: Routes) -> None:
    routes.on("GET /v1/a", {})
    one: list[Wire] = []
    two: list[Wire] = []
    with metered_client(routes.url, one) as first, metered_client(routes.url, two) as second:
        first.get(f"{routes.url}/a")
        second.get(f"{routes.url}/a")
        second.get(f"{routes.url}/a")
    assert (len(one), len(two)) == (1, 2)


def test_a_handle_survives_json() -> None:
    handle = Handle("claude", "m", "Be brief.", (("message", "msg_1"),), (user("ü"), Message("user", None, {"x": [1]})))
    assert Handle.from_dict(json.loads(json.dumps(handle.to_dict()))) == handle
    assert handle.plus(("message", "msg_2"), messages=[assistant("y")]).last("message") == "msg_2"
    assert handle.all("response") == []


def test_the_manual_approach_uploads_everything_every_turn() -> None:
    provider = ScriptedProvider(Script(["H", "i."], usage=Usage(9)), Script(["Yes."], stop_reason="length"))
    history = ManualHistory(provider, "m")
    handle = history.create("Be brief.")
    first = list(history.send(handle, "Hello"))
    assert first[:2] == [TextDelta("H"), TextDelta("i.")]
    assert isinstance(first[2], ServerTurn)
    assert first[2].bytes_up == len(provider.bodies[0])
    second = list(history.send(first[2].handle, "Again"))[-1]
    assert isinstance(second, ServerTurn)
    assert second.bytes_up > first[2].bytes_up
    assert (second.status, second.reason) == ("incomplete", "max_output_tokens")
    assert [message.text for message in provider.requests[1].messages] == ["Be brief.", "Hello", "Hi.", "Again"]
    assert not history.delete(second.handle).proven


def test_a_metered_turn_records_the_time_of_its_first_text() -> None:
    metered = MeteredTurn()
    metered.text("a")
    turn = metered.turn(Handle("manual", "m"), Usage(1))
    assert turn.first_token_ms is not None
    assert turn.first_token_ms <= turn.duration_ms
    assert MeteredTurn().turn(Handle("manual", "m"), Usage(1)).first_token_ms is None


def test_a_deletion_is_proven_only_by_reading_again() -> None:
    assert Deletion.of([DeletedItem("thread", "t", 200, 404)]).proven
    for unproven in (
        DeletedItem("t", "t", 200, 200),
        DeletedItem("t", "t", 404, 404),
        DeletedItem("t", "t", 200, None),
        DeletedItem("t", "t", 405, 200),
    ):
        assert not Deletion.of([DeletedItem("thread", "t", 200, 404), unproven]).proven
    assert not Deletion.of([]).proven


@pytest.mark.parametrize("facts", FACTS.values(), ids=lambda facts: facts.name)
def test_every_fact_has_a_source_and_a_date(facts: Facts) -> None:
    for field in dataclasses.fields(facts):
        fact = getattr(facts, field.name)
        if field.name == "name":
            continue
        assert isinstance(fact, Fact)
        assert fact.says.endswith(".")
        assert fact.source
        assert fact.read_on.startswith("2026-")


@pytest.mark.parametrize("kind", APPROACHES_OF_KIND)
def test_every_approach_of_an_endpoint_can_be_opened(kind: EndpointKind) -> None:
    endpoint = Endpoint("it", kind, "It", base_url="http://127.0.0.1:9/v1", model="m")
    for approach in APPROACHES_OF_KIND[kind]:
        history = open_server_history(approach, endpoint, "key", ScriptedProvider())
        assert history.settings.deadline_seconds
        if approach in ("manual", "responses", "claude"):
            assert history.create("x").approach == approach


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("a", "a"),
        ([{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}], "ab"),
        ([{"type": "image"}], ""),
        ([{"text": [{"value": "a"}, "b"]}], "ab"),
        (7, ""),
    ],
)
def test_text_is_found_at_any_depth(content: object, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    ("stamp", "seconds"), [(1790000000, 1790000000), (1790000000000, 1790000000), ("x", None), (True, None)]
)
def test_a_timestamp_in_milliseconds_is_read(stamp: object, seconds: float | None) -> None:
    assert seconds_of(stamp) == seconds


def test_items_without_ids_are_all_kept() -> None:
    def items() -> Iterator[dict[str, str]]:
        yield {"text": "a"}
        yield {"text": "a"}

    assert len(list(without_repeats(items()))) == 2
