"""Bills price reported usage, mark computed usage, and compare the same conversation across models."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from lib.analysis.bills import Bill, bills_of, cache_minimum, compare_prices, counted_usages, total_price, usage_of
from lib.analysis.replay import reusable_tokens
from lib.analysis.requests import MessageSizes, detached, records_of
from lib.messages import Usage, assistant, user
from lib.pricing import catalogue, costs
from lib.pricing.model import Model
from lib.tokens import ESTIMATE
from tests.support.cases.planned_conversations import SETTINGS, talk
from tests.support.counters import WordCounter

WORDS = WordCounter()


def priced(name: str = "gpt-6-luna", vendor: str = "openai") -> Model:
    found = catalogue.find(vendor, name)
    assert found is not None
    return found


def bills(unrecorded: int = 0, price: str | None = "gpt-6-luna") -> list[Bill]:
    history, turns, _ = talk(3, SETTINGS)
    history += [user("theirs"), assistant("yes")] * unrecorded
    sizes = MessageSizes(WORDS, history)
    return bills_of(
        records_of(history, turns),
        detached(history, turns),
        lambda record: sizes,
        lambda provider, model: priced(price) if price else None,
    )


def test_the_usage_that_the_provider_reported_is_priced() -> None:
    _, turns, plans = talk(3, SETTINGS)
    for bill, turn, plan in zip(bills(), turns, plans, strict=True):
        assert (bill.usage, bill.provenance) == (turn.usage, "billed")
        assert bill.usage.input_tokens == plan.input_tokens
        assert bill.cost == costs.cost(priced(), turn.usage, turn.started_at)


def test_a_turn_without_usage_is_counted_and_marked_as_counted() -> None:
    history, turns, plans = talk(1, SETTINGS)
    record = records_of(history, [replace(turns[0], usage=Usage(None, None, None, 7))])[0]
    usage, provenance = usage_of(record, MessageSizes(WORDS, history))
    assert (usage.input_tokens, provenance) == (plans[0].input_tokens, "counted")


def test_an_unrecorded_request_has_a_size_and_no_cost() -> None:
    *known, last = bills(unrecorded=1)
    assert all(bill.cost is not None for bill in known)
    assert last.cost is None
    assert last.usage.input_tokens is not None


def test_an_unknown_price_is_none_and_never_zero() -> None:
    assert [bill.cost for bill in bills(price=None)] == [None, None, None]


def test_turns_whose_messages_are_gone_keep_their_cost() -> None:
    history, turns, _ = talk(3, SETTINGS)
    left = history[2:]
    sizes = MessageSizes(WORDS, left)
    found = bills_of(records_of(left, turns), detached(left, turns), lambda record: sizes, lambda *_: priced())
    assert sum(bill.cost.total for bill in found if bill.cost is not None) == total_price(
        priced(), [turn.usage for turn in turns]
    )


def test_without_a_cache_every_request_is_read_in_full() -> None:
    history, turns, plans = talk(6, SETTINGS)
    used = counted_usages(records_of(history, turns), MessageSizes(WORDS, history), None)
    assert [usage.input_tokens for usage in used] == [plan.input_tokens for plan in plans]
    assert all(usage.cached_tokens is None for usage in used)


@pytest.mark.parametrize("minimum", [0, 60, 100_000])
def test_a_warm_cache_returns_the_repeated_prefix_if_it_is_long_enough(minimum: int) -> None:
    history, turns, _ = talk(12, SETTINGS)
    records, sizes = records_of(history, turns), MessageSizes(WORDS, history)
    used = counted_usages(records, sizes, minimum)
    assert used[0].cached_tokens == 0
    for before, now, usage in zip(records, records[1:], used[1:], strict=False):
        reusable = reusable_tokens(before, now, sizes)
        assert usage.cached_tokens == (reusable if reusable >= minimum else 0)
        assert usage.input_tokens is not None
        assert usage.cache_write_tokens == (
            usage.input_tokens - usage.cached_tokens if usage.input_tokens >= minimum else 0
        )


def test_prices_are_compared_by_each_models_counter_and_sorted_by_cost() -> None:
    history, turns, _ = talk(8, SETTINGS)
    records = records_of(history, turns)
    words, estimate = MessageSizes(WORDS, history), MessageSizes(ESTIMATE, history)
    rows = compare_prices(records, lambda model: words if model.vendor == "openai" else estimate, catalogue.catalogue())
    assert len(rows) == len(catalogue.catalogue())
    known = [row.plain for row in rows if row.plain is not None]
    assert known == sorted(known)
    for row in rows:
        sizes = words if row.model.vendor == "openai" else estimate
        assert row.counter == sizes.counter.name
        assert row.input_tokens == sum(sizes.parts(record).sent for record in records)
        assert row.output_tokens == sum(sizes.parts(record).reply for record in records)
        assert row.plain == total_price(row.model, counted_usages(records, sizes, None))
        assert row.with_cache == total_price(row.model, counted_usages(records, sizes, cache_minimum(row.model)))
        assert row.fits is (None if row.model.context_window is None else True)


def test_a_model_too_small_for_the_largest_request_does_not_fit() -> None:
    history, turns, _ = talk(8, SETTINGS)
    small = replace(priced(), context_window=50)
    (row,) = compare_prices(records_of(history, turns), lambda model: MessageSizes(WORDS, history), [small])
    assert row.fits is False
    assert row.largest > 50


def test_cache_minimums_are_the_documented_ones() -> None:
    assert cache_minimum(priced()) == 1024
    assert cache_minimum(priced("claude-opus-5", "anthropic")) == 512
    assert cache_minimum(priced("claude-haiku-4-5", "anthropic")) == 4096
    assert cache_minimum(next(model for model in catalogue.catalogue() if model.vendor == "local")) == 0
    assert isinstance(total_price(priced(), []), Decimal)
