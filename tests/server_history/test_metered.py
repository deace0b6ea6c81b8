"""Messages to a server that keeps the conversation: past a cap none is sent, and what one did cost is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from lib.errors import ProviderUnavailable, SpendingCapReached
from lib.history.memory import InMemoryHistory
from lib.messages import Usage
from lib.pricing.model import Model, Rates
from lib.providers import TextDelta
from lib.server_history import Handle, ServerTurn, ThreadSettings
from lib.server_history.metered import metered_history
from lib.spending.meter import Meter
from lib.spending.spending import Spending

CENT = ((0, Decimal(10_000)),)
MODEL = Model("m", "openai", "M", 100_000, 10_000, Rates(CENT, CENT, CENT, CENT), "a list")
"""USD 0.01 a token."""


class Server:
    """A server that reads 100 tokens more with each message and writes 10, or fails."""

    settings = ThreadSettings(max_output_tokens=50)
    fails = False
    sent = 0

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        if self.fails:
            raise ProviderUnavailable("It is away.")
        self.sent += 1
        yield TextDelta("Yes")
        yield ServerTurn("Yes", replace(handle), Usage(100 * self.sent, None, None, 10))

    def stored_items(self, handle: Handle) -> int:
        return self.sent


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def meter() -> Meter:
    spending = Spending(InMemoryHistory(3600), lambda provider, model: MODEL)
    return spending.meter_of_run("visitor-a", "r", Decimal(4))


def test_past_a_cap_nothing_is_sent_to_the_server(server: Server, meter: Meter) -> None:
    history, handle = metered_history(server, meter, "openai", {}), Handle("conversations", "m")  # type: ignore[arg-type]
    assert isinstance(list(history.send(handle, "Hello"))[-1], ServerTurn)
    assert meter.spent()[0].usd == Decimal("1.10")
    list(history.send(handle, "And now?"))
    assert meter.spent()[0].usd == Decimal("3.20")
    with pytest.raises(SpendingCapReached, match=r"\$4"):  # it holds what the conversation has by now
        list(history.send(handle, "And now?"))
    assert (server.sent, meter.spent()[0].usd) == (2, Decimal("3.20"))


def test_a_message_that_was_not_answered_costs_nothing(server: Server, meter: Meter) -> None:
    server.fails = True
    history = metered_history(server, meter, "openai", {})  # type: ignore[arg-type]
    with pytest.raises(ProviderUnavailable):
        list(history.send(Handle("conversations", "m"), "Hello"))
    assert meter.spent()[0].usd == 0


def test_everything_else_is_the_adapters_own(server: Server, meter: Meter) -> None:
    history = metered_history(server, meter, "openai", {})  # type: ignore[arg-type]
    assert history.settings == server.settings
    assert hasattr(history, "stored_items")  # as the drills and lanes ask for what only some adapters can do
    assert history.stored_items(Handle("manual", "m")) == 0
    assert not hasattr(history, "delete_one")
