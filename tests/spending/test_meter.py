"""The meter holds the most before a request is sent and settles it at the real cost; the metered provider sends nothing
past a cap."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lib.errors import ChatError, ProviderUnavailable, SpendingCapReached
from lib.history.memory import InMemoryHistory
from lib.messages import Usage, user
from lib.pricing.model import Model, Rates
from lib.providers import ChatRequest, Reply, SentBody, StreamEvent, TextDelta
from lib.providers.scripted import ScriptedProvider
from lib.spending import Caps
from lib.spending.metered import MeteredProvider
from lib.spending.spending import Spending
from lib.tokens import ESTIMATE
from tests.support.servers.redis_servers import TTL, say

DOLLAR_A_THOUSAND = ((0, Decimal(1_000)),)
RATES = Rates(DOLLAR_A_THOUSAND, DOLLAR_A_THOUSAND, DOLLAR_A_THOUSAND, DOLLAR_A_THOUSAND)
MODEL = Model("test-model", "openai", "Test", 1_000, 100, RATES, "a list")


class Billed(ScriptedProvider):
    """Answers with this usage, or fails, and keeps what it was asked."""

    def __init__(self, usage: Usage, error: ChatError | None = None) -> None:
        super().__init__()
        self.usage, self.error = usage, error
        self.asked: list[SentBody] = []

    def stream(self, sent: SentBody) -> Iterator[TextDelta | Reply]:
        self.asked.append(sent)
        if self.error is not None:
            raise self.error
        yield TextDelta("Yes")
        yield Reply("Yes", self.usage)


def spending(store: InMemoryHistory, limits: Caps = Caps(), now: float = 0.0) -> Spending:  # noqa: B008 - frozen
    return Spending(store, lambda provider, model: MODEL if model == "test-model" else None, limits, lambda: now)


def ask(spends: Spending, provider: Billed, model: str = "test-model", session_id: str = "s") -> list[StreamEvent]:
    metered = MeteredProvider(provider, spends.meter(session_id), ESTIMATE)
    request = ChatRequest(model, (user("x" * 400),), 100)  # 100 tokens by the estimate, and 100 for the reply
    return list(metered.stream(metered.prepare(request)))


def used(spends: Spending) -> tuple[Decimal, Decimal]:
    chat, day = spends.spent("s")
    return chat.usd, day.usd


def test_a_request_is_settled_at_what_the_provider_reports() -> None:
    spends, provider = spending(InMemoryHistory(TTL)), Billed(Usage(60, 0, 0, 15))
    ask(spends, provider)
    assert used(spends) == (Decimal("0.075"), Decimal("0.075"))
    ask(spends, Billed(Usage()))  # it does not say: the most
    assert used(spends)[0] >= Decimal("0.275")


def test_a_request_that_failed_before_its_first_word_costs_nothing() -> None:
    spends = spending(InMemoryHistory(TTL))
    with pytest.raises(ProviderUnavailable):
        ask(spends, Billed(Usage(), ProviderUnavailable("It does not answer.")))
    assert used(spends) == (Decimal(0), Decimal(0))


def test_a_reply_that_is_stopped_counts_as_the_most() -> None:
    spends = spending(InMemoryHistory(TTL))
    metered = MeteredProvider(Billed(Usage(1, 0, 0, 1)), spends.meter("s"), ESTIMATE)
    stream = metered.stream(metered.prepare(ChatRequest("test-model", (user("x" * 400),), 100)))
    next(iter(stream))
    assert used(spends)[0] == Decimal("0.2")  # held
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert used(spends)[0] == Decimal("0.2")


@pytest.mark.parametrize("limits", [Caps(session=Decimal("0.24")), Caps(day=Decimal("0.24"))])
def test_past_a_cap_nothing_is_sent_and_the_number_is_said(limits: Caps) -> None:
    spends, provider = spending(InMemoryHistory(TTL), limits), Billed(Usage(40, 0, 0, 10))
    ask(spends, provider)
    with pytest.raises(
        SpendingCapReached, match=r"cap for (this chat|today) is \$0\.24\. \$0\.05 of it is used"
    ) as told:
        ask(spends, provider)
    assert "may cost up to $0.20" in told.value.what
    assert len(provider.asked) == 1
    assert used(spends) == (Decimal("0.05"), Decimal("0.05")), "what was held in the first account is given back"
    ask(spends, provider, model="of a gateway")  # no known price: it is not counted
    assert len(provider.asked) == 2


def test_people_set_lower_caps_and_nobody_a_higher_one() -> None:
    store = InMemoryHistory(TTL)
    spends = spending(store, Caps(session=Decimal(2), day=Decimal(3)))
    say(store, "s", "Hello")
    store.claim("s", "ada")
    spends.set_caps("s", Caps(Decimal(1), Decimal(9)))
    assert spends.caps("s") == Caps(Decimal(1), Decimal(9))
    assert spends.meter("s").caps == Caps(Decimal(1), Decimal(3))
    say(store, "other", "Hello")
    store.claim("other", "ada")
    assert spends.caps("other") == Caps(None, Decimal(9)), "a day's cap belongs to the person"
    spends.set_caps("s", Caps())
    assert spends.meter("s").caps == Caps(Decimal(2), Decimal(3))


def test_a_day_has_an_account_of_its_own() -> None:
    store = InMemoryHistory(TTL)
    ask(spending(store), Billed(Usage(60, 0, 0, 15)))
    assert used(spending(store, now=86_400.0)) == (Decimal("0.075"), Decimal(0))
