"""Prices: the parts add up, the total is genai-prices' own, and unknown is None."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from genai_prices import Usage as PackageUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from lib.messages import Usage
from lib.pricing import catalogue
from lib.pricing.catalogue import FREE, Model, find
from lib.pricing.costs import cost, saved_by_cache

PACKAGED = [model for model in catalogue.catalogue() if model.source.startswith("genai-prices")]


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """What a provider could report: parts of what was read."""
    read = draw(st.integers(0, 900_000))
    cached = draw(st.integers(0, read) | st.none())
    written = draw(st.integers(0, read - (cached or 0)) | st.none())
    wrote = draw(st.integers(0, 100_000))
    return Usage(read, cached, written, wrote, draw(st.integers(0, wrote) | st.none()))


@given(st.sampled_from(PACKAGED), usages())
def test_a_cost_is_the_packages_own_to_the_last_digit(model: Model, usage: Usage) -> None:
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


@given(st.sampled_from(catalogue.catalogue()), usages(), st.integers(0, 10**6))
def test_hidden_tokens_are_paid_on_top(model: Model, usage: Usage, hidden: int) -> None:
    with_hidden, without = cost(model, replace(usage, hidden_tokens=hidden)), cost(model, usage)
    assert with_hidden is not None
    assert without is not None
    assert with_hidden.total == without.total + with_hidden.hidden
    assert (with_hidden.hidden > 0) == (hidden > 0 and model.rates != FREE)


@given(st.sampled_from(catalogue.catalogue()), st.integers(0, 1000), st.integers(0, 5000), st.integers(0, 5000))
def test_more_cached_than_read_is_no_more_than_what_was_read(
    model: Model, read: int, cached: int, written: int
) -> None:
    priced, most = cost(model, Usage(read, cached, written, 0)), cost(model, Usage(read, 0, read, 0))
    assert priced is not None
    assert most is not None
    assert Decimal(0) <= priced.total <= max(most.total, cost(model, Usage(read, 0, 0, 0)).total)  # type: ignore[union-attr]


@pytest.mark.parametrize("usage", [Usage(), Usage(5), Usage(None, None, None, 5)])
def test_what_was_not_reported_has_no_cost(usage: Usage) -> None:
    assert cost(PACKAGED[0], usage) is None


def test_a_model_without_a_price_has_no_cost() -> None:
    model = replace(PACKAGED[0], name="no-such-model", rates=None)
    assert cost(model, Usage(5, None, None, 5)) is None
    assert saved_by_cache(model, Usage(5, 5, None, 5)) is None


def test_the_figures_of_the_documentation_come_out() -> None:
    opus = find("anthropic", "claude-opus-5-5")
    assert opus is not None
    priced = cost(opus, Usage(10_000, 8_000, 1_500, 300))
    assert priced is not None
    assert priced.total == Decimal("0.0171")
    assert priced.output == Decimal("0.006")
    assert saved_by_cache(opus, Usage(10_000, 8_000, 1_500, 300)) == Decimal("0.0304")


def test_a_larger_request_is_paid_at_the_higher_tier_in_full() -> None:
    sol = find("openai", "gpt-6.1-sol")
    assert sol is not None
    assert cost(sol, Usage(300_000, None, None, 0)).total == Decimal("1.2")  # type: ignore[union-attr]
    assert cost(sol, Usage(272_000, None, None, 0)).total == Decimal("0.544")  # type: ignore[union-attr]


def test_a_request_is_priced_at_the_prices_of_its_time() -> None:
    sonnet = find("anthropic", "claude-sonnet-4-5")
    assert sonnet is not None
    assert cost(sonnet, Usage(1000, 0, 0, 0), at=1_790_000_000.0) == cost(sonnet, Usage(1000, 0, 0, 0))
    dated = [
        model
        for model in PACKAGED
        if cost(model, Usage(10**5, 0, 0, 10**4), at=1_767_225_600.0) != cost(model, Usage(10**5, 0, 0, 10**4))
    ]
    for model in dated:  # whatever changed its price since January 2026
        theirs = calc_price(
            PackageUsage(input_tokens=10**5, output_tokens=10**4),
            model.name,
            provider_id=model.vendor,
            genai_request_timestamp=__import__("datetime").datetime(2026, 1, 1, 12, tzinfo=__import__("datetime").UTC),
        )
        ours = cost(model, Usage(10**5, 0, 0, 10**4), at=1_767_268_800.0)
        assert ours is not None
        assert ours.total == theirs.total_price


def test_what_runs_here_costs_nothing() -> None:
    local = find("local", "SmolLM2-135M-Instruct")
    assert local is not None
    assert cost(local, Usage(10**6, 0, 0, 10**6)).total == 0  # type: ignore[union-attr]
