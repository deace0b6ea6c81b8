"""Both spending books keep the same promises; the sum never passes the cap, whoever asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.history.client import RetryingClient, connect
from lib.history.spending import HOLD_SECONDS, Balance, SpendingBook
from lib.history.spending.memory import MemoryBook
from lib.history.spending.redis import RedisBook
from tests.support.servers.redis_servers import RedisServer


@pytest.fixture(params=["memory", "redis"])
def book(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[SpendingBook]:
    if request.param == "memory":
        yield MemoryBook()
        return
    client = RetryingClient(lambda: connect(redis_server.url), None)
    client.ask(lambda each: each.flushall())
    yield RedisBook(client)
    client.close()


def test_a_hold_counts_until_it_is_settled_at_the_real_cost(book: SpendingBook) -> None:
    assert book.hold("session:a", "1", 60, 100) == Balance(0, 0)
    assert book.hold("session:a", "2", 50, 100) == Balance(0, 60, accepted=False)
    book.settle("session:a", "1", 10)
    book.settle("session:a", "1", 10)  # repeated
    book.settle("session:a", "2", 10)  # was never held
    assert book.balance("session:a") == Balance(10, 0)
    assert book.hold("session:a", "2", 90, 100) == Balance(10, 0)
    assert book.hold("session:a", "2", 90, 100) == Balance(10, 0)  # the same again
    assert book.balance("session:a") == Balance(10, 90)
    assert book.balance("session:b") == Balance()


def test_a_new_account_begins_with_what_was_spent_before(book: SpendingBook) -> None:
    assert book.hold("session:a", "1", 30, 100, seed=80) == Balance(80, 0, accepted=False)
    assert book.hold("session:a", "1", 20, 100, seed=80) == Balance(80, 0)
    book.settle("session:a", "1", 5)
    assert book.hold("session:a", "2", 1, None, seed=999) == Balance(85, 0)


def test_a_cap_is_kept_and_removed(book: SpendingBook) -> None:
    assert book.cap("days:ada") is None
    book.set_cap("days:ada", 5)
    book.set_cap("session:a", 7)
    assert (book.cap("days:ada"), book.cap("session:a")) == (5, 7)
    assert book.hold("session:a", "1", 1, None, seed=3) == Balance(3, 0)
    book.set_cap("days:ada", None)
    assert book.cap("days:ada") is None


def test_a_hold_that_nobody_settled_counts_as_spent_after_an_hour(redis_server: RedisServer) -> None:
    now = 0.0
    memory = MemoryBook(lambda: now)
    memory.hold("session:a", "1", 60, None)
    now = HOLD_SECONDS + 1.0
    assert memory.balance("session:a") == Balance(60, 0)
    client = RetryingClient(lambda: connect(redis_server.url), None)
    client.ask(lambda each: each.hset("spending:session:late", mapping={"spent": 5, "hold:1": "60:1000"}))
    stored = RedisBook(client)
    assert stored.balance("session:late") == Balance(65, 0)
    assert stored.hold("session:late", "2", 10, 70) == Balance(65, 0, accepted=False)
    assert stored.hold("session:late", "2", 5, 70) == Balance(65, 0)
    assert stored.balance("session:late") == Balance(65, 5)
    client.close()


def test_many_at_once_never_pass_the_cap(book: SpendingBook) -> None:
    accepted: list[bool] = []

    def send(number: int) -> None:
        for turn in range(20):
            hold_id = f"{number}-{turn}"
            if book.hold("day:x", hold_id, 7, 100).accepted:
                accepted.append(True)
                book.settle("day:x", hold_id, 3)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    balance = book.balance("day:x")
    assert balance == Balance(3 * len(accepted), 0)
    assert 93 < balance.spent <= 100


steps = st.lists(
    st.tuples(st.sampled_from(["hold", "settle"]), st.integers(0, 5), st.integers(0, 60), st.integers(0, 60)),
    max_size=30,
)


@given(steps, st.integers(0, 100))
def test_what_is_spent_and_held_never_passes_the_cap(taken: list[tuple[str, int, int, int]], cap: int) -> None:
    book, held = MemoryBook(), dict[str, int]()
    for what, number, most, real in taken:
        hold_id = str(number)
        if what == "hold":
            if hold_id not in held and book.hold("a", hold_id, most, cap).accepted:
                held[hold_id] = most
        else:
            book.settle("a", hold_id, min(real, held.pop(hold_id, 0)))
        balance = book.balance("a")
        assert balance.spent + balance.held <= cap
        assert balance.held == sum(held.values())
