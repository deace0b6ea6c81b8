"""Costs: the parts add up, the total is what genai-prices calculates, and an unknown cost is None."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as PackageUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Usage
from lib.pricing.catalogue import catalogue, find
from lib.pricing.costs import Cost, cost, saved_by_cache, total_cost
from lib.pricing.model import FREE, Model

PACKAGED = [model for model in catalogue() if model.source.startswith("genai-prices")]


def known_cost(vendor: str, name: str, usage: Usage) -> Cost:
    """The cost on a model that the catalogue has a price for."""
    model = find(vendor, name)
    assert model is not None
    priced = cost(model, usage)
    assert priced is not None
    return priced


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Usage as a provider may report it: cached and written tokens are part of those read."""
    read = draw(st.integers(0, 900_000))
    cached = draw(st.integers(0, read) | st.none())
    written = draw(st.integers(0, read - (cached or 0)) | st.none())
    output = draw(st.integers(0, 100_000))
    return Usage(read, cached, written, output, draw(st.integers(0, output) | st.none()))


@given(st.sampled_from(PACKAGED), usages())
def test_a_cost_equals_the_packages_to_the_last_digit(model: Model, usage: Usage) -> None:
    theirs = calc_price(
        PackageUsage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens or 0,
            cache_write_tokens=usage.cache_write_tokens or 0,
            output_tokens=usage.output_tokens,
        ),
        model.name,
        provider_id=model.vendor,
    )
    ours = cost(model, usage)
    assert ours is not None
    assert ours.total == theirs.total_price
    assert ours.uncached_input + ours.cached_input + ours.cache_write == theirs.input_price
    assert ours.output == theirs.output_price
    assert ours.reasoning <= ours.output


@given(st.sampled_from(catalogue()), usages(), st.integers(0, 10**6))
def test_hidden_tokens_are_added_to_the_total(model: Model, usage: Usage, hidden: int) -> None:
    with_hidden, without = cost(model, replace(usage, hidden_tokens=hidden)), cost(model, usage)
    assert with_hidden is not None
    assert without is not None
    assert with_hidden.total == without.total + with_hidden.hidden
    assert (with_hidden.hidden > 0) == (hidden > 0 and model.rates != FREE)


@given(st.sampled_from(catalogue()), st.integers(0, 1000), st.integers(0, 5000), st.integers(0, 5000))
def test_no_more_tokens_are_priced_than_were_read(model: Model, read: int, cached: int, written: int) -> None:
    priced = cost(model, Usage(read, cached, written, 0))
    all_written, all_uncached = cost(model, Usage(read, 0, read, 0)), cost(model, Usage(read, 0, 0, 0))
    assert priced is not None
    assert all_written is not None
    assert all_uncached is not None
    assert 0 <= priced.total <= max(all_written.total, all_uncached.total)


@pytest.mark.parametrize("usage", [Usage(), Usage(5), Usage(None, None, None, 5)])
def test_unreported_usage_has_no_cost(usage: Usage) -> None:
    assert cost(PACKAGED[0], usage) is None


def test_a_model_without_a_price_has_no_cost() -> None:
    model = replace(PACKAGED[0], name="no-such-model", rates=None)
    assert cost(model, Usage(5, None, None, 5)) is None
    assert saved_by_cache(model, Usage(5, 5, None, 5)) is None


def test_a_worked_example() -> None:
    usage = Usage(10_000, 8_000, 1_500, 300)
    priced = known_cost("anthropic", "claude-opus-5-5", usage)
    assert (priced.total, priced.output) == (Decimal("0.0171"), Decimal("0.006"))
    opus = find("anthropic", "claude-opus-5-5")
    assert opus is not None
    assert saved_by_cache(opus, usage) == Decimal("0.0304")


def test_the_higher_tier_applies_to_all_of_a_larger_request() -> None:
    assert known_cost("openai", "gpt-6.1-sol", Usage(300_000, None, None, 0)).total == Decimal("1.2")
    assert known_cost("openai", "gpt-6.1-sol", Usage(272_000, None, None, 0)).total == Decimal("0.544")


def test_a_past_request_has_the_prices_of_its_time() -> None:
    sonnet = find("anthropic", "claude-sonnet-4-5")
    assert sonnet is not None
    assert cost(sonnet, Usage(1000, 0, 0, 0), at=1_790_000_000.0) == cost(sonnet, Usage(1000, 0, 0, 0))
    usage, past = Usage(10**5, 0, 0, 10**4), datetime(2026, 1, 1, 12, tzinfo=UTC)
    for model in PACKAGED:
        then = cost(model, usage, at=past.timestamp())
        if then == cost(model, usage):  # its price has not changed since January 2026
            continue
        theirs = calc_price(
            PackageUsage(input_tokens=10**5, output_tokens=10**4),
            model.name,
            provider_id=model.vendor,
            genai_request_timestamp=past,
        )
        assert then is not None
        assert then.total == theirs.total_price


def test_a_model_on_this_machine_costs_nothing() -> None:
    assert known_cost("local", "SmolLM2-135M-Instruct", Usage(10**6, 0, 0, 10**6)).total == 0


def test_a_model_on_this_machine_costs_nothing_where_no_tokens_are_reported() -> None:
    assert total_cost(find("local", "SmolLM2-135M-Instruct"), Usage()) == 0
    assert total_cost(find("openai", "gpt-4o-mini"), Usage()) is None
    assert total_cost(None, Usage(1, 0, 0, 1)) is None
