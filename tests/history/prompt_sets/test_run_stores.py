"""Both stores of prompt runs keep the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lib.access import THE_ONE, Person
from lib.access.own_runs import own_runs
from lib.errors import NotYours
from lib.history.client import RetryingClient, connect
from lib.history.prompt_sets import HELD_SECONDS, MOST_RUNS, RunStore, StoredRun
from lib.history.prompt_sets.memory import MemoryRuns
from lib.history.prompt_sets.redis import RedisRuns
from tests.support.servers.redis_servers import RedisServer


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[RunStore]:
    if request.param == "memory":
        yield MemoryRuns()
        return
    client = RetryingClient(lambda: connect(redis_server.url), None)
    client.ask(lambda each: each.flushall())
    yield RedisRuns(client)
    client.close()


def test_a_run_comes_back_with_its_answers_the_newest_first(store: RunStore) -> None:
    assert store.runs("ada") == []
    assert store.create("ada", "one", '{"a": "ü"}', "[1]", 5.0)
    assert store.create("ada", "two", "{}", "[2]", 7.5)
    assert store.save_answer("ada", "one", "0.0", "first")
    assert store.save_answer("ada", "one", "0.0", "second")
    assert store.save_answer("ada", "one", "0.1", "other")
    assert store.save_head("ada", "one", "changed")
    assert store.runs("ada") == [StoredRun("two", "{}", 0, False), StoredRun("one", "changed", 2, False)]
    assert store.prompts("ada", "one") == "[1]"
    assert store.answers("ada", "one") == {"0.0": "second", "0.1": "other"}
    assert (store.runs("bert"), store.run("bert", "one"), store.answers("bert", "one")) == ([], None, {})


def test_a_deleted_run_stays_deleted(store: RunStore) -> None:
    store.create("", "one", "{}", "[]", 1.0)
    store.delete("", "one")
    assert not store.save_answer("", "one", "0.0", "late")
    assert not store.save_head("", "one", "late")
    assert not store.hold("", "one", "me")
    assert (store.run("", "one"), store.runs(""), store.prompts("", "one")) == (None, [], None)


def test_one_process_at_a_time_holds_a_run(store: RunStore) -> None:
    store.create("", "one", "{}", "[]", 1.0)
    store.save_answer("", "one", "0.0", "x")
    assert store.hold("", "one", "me")
    assert store.hold("", "one", "me")
    assert not store.hold("", "one", "you")
    assert store.run("", "one") == StoredRun("one", "{}", 1, True)
    store.release("", "one", "you")
    assert not store.hold("", "one", "you")
    store.release("", "one", "me")
    assert store.run("", "one") == StoredRun("one", "{}", 1, False)
    assert store.hold("", "one", "you")


def test_a_hold_ends_by_itself(redis_server: RedisServer) -> None:
    now = 0.0
    memory = MemoryRuns(lambda: now)
    memory.create("", "one", "{}", "[]", 1.0)
    memory.hold("", "one", "killed")
    now = HELD_SECONDS + 1.0
    assert memory.hold("", "one", "next")
    client = RetryingClient(lambda: connect(redis_server.url), None)
    stored = RedisRuns(client)
    stored.create("", "late", "{}", "[]", 1.0)
    client.ask(lambda each: each.hset("prompt_runs:-:late", "held", "killed:1000"))
    assert stored.run("", "late") == StoredRun("late", "{}", 0, False)
    assert stored.hold("", "late", "next")
    client.close()


def test_a_person_has_so_many_runs_and_looking_writes_nothing(store: RunStore) -> None:
    for number in range(MOST_RUNS):
        assert store.create("ada", f"run-{number}", "{}", "[]", float(number))
    assert not store.create("ada", "one-more", "{}", "[]", 999.0)
    assert store.create("bert", "one-more", "{}", "[]", 999.0)
    store.delete("ada", "run-0")
    assert store.create("ada", "one-more", "{}", "[]", 999.0)
    with pytest.raises(ValueError, match="not a run id"):
        store.run("ada", "a:b")


def test_runs_that_expired_make_room(redis_server: RedisServer) -> None:
    client = RetryingClient(lambda: connect(redis_server.url), None)
    client.ask(lambda each: each.flushall())
    client.ask(lambda each: each.zadd("prompt_runs:-", {f"gone-{number}": number for number in range(MOST_RUNS)}))
    store = RedisRuns(client)
    assert store.runs("") == []
    assert store.create("", "new", "{}", "[]", 1.0)
    assert client.ask(lambda each: each.zrange("prompt_runs:-", 0, -1)) == [b"new"]
    assert client.ask(lambda each: each.ttl("prompt_runs:-:new")) > 0
    client.close()


def test_the_gate_lets_people_to_their_own_runs_only(store: RunStore) -> None:
    anna, bert = Person("visitors", "anna"), Person("visitors", "bert")
    admin, nobody = Person("accounts", "boss", sees_all=True), Person("accounts")
    assert own_runs(anna, store).create("anna", "one", "{}", "[]", 1.0)
    assert [each.run_id for each in own_runs(anna, store).runs("anna")] == ["one"]
    calls: list[Callable[[RunStore], object]] = [
        lambda gated: gated.runs("anna"),
        lambda gated: gated.answers("anna", "one"),
        lambda gated: gated.prompts("anna", "one"),
        lambda gated: gated.delete("anna", "one"),
        lambda gated: gated.save_answer("anna", "one", "0.0", "forged"),
    ]
    for person in (bert, admin, nobody):
        for call in calls:
            with pytest.raises(NotYours):
                call(own_runs(person, store))
    with pytest.raises(NotYours):
        own_runs(nobody, store).runs("")
    assert own_runs(THE_ONE, store).runs("") == []
    with pytest.raises(AttributeError):
        getattr(own_runs(anna, store), "everything")  # noqa: B009 - what the gate does not know
