"""Ranks the models of a run by how many prompts they passed, and says which of them these prompts tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from lib.prompt_sets.figures import Interval, holm, mcnemar, mean_interval, wilson
from lib.prompt_sets.runs import Answer


@dataclass(frozen=True, slots=True)
class Standing:
    """One model. `judged` prompts have a verdict; `passed` of them passed. Times are seconds, money is USD.

    `cost` is None if the cost of any answer is not known. `judge_cost` is that of its judged answers.
    """

    model: int
    passed: int
    judged: int
    answered: int
    errors: int
    seconds: float | None
    """The mean of its answers."""
    between: Interval | None
    """The interval of that mean."""
    first_seconds: float | None
    tokens_in: int | None
    tokens_out: int | None
    """As the provider reported them; None if it did not for any answer."""
    cost: Decimal | None
    judge_cost: Decimal | None

    @property
    def rate(self) -> float:
        """The part that passed."""
        return self.passed / self.judged if self.judged else 0.0

    @property
    def interval(self) -> Interval:
        """Of the rate."""
        return wilson(self.passed, self.judged)


@dataclass(frozen=True, slots=True)
class Duel:
    """Two models on the prompts that both have a verdict for."""

    first: int
    second: int
    both: int
    first_only: int
    second_only: int
    p: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The models with the most passed first, and the first one's duels with each of the others, in that order.

    `apart` says for each duel whether these prompts tell the two apart, with all duels looked at together.
    """

    standings: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    apart: tuple[bool, ...]


def rank(answers: Iterable[Answer], models: int) -> Ranking:
    """The ranking of a run with so many models."""
    by_model: list[list[Answer]] = [[] for _ in range(models)]
    for answer in answers:
        if answer.model < models:
            by_model[answer.model].append(answer)
    standings = [_standing(model, found) for model, found in enumerate(by_model)]
    ranked = tuple(sorted(standings, key=lambda each: (-each.passed, -each.rate, each.model)))
    best = ranked[0].model if ranked else 0
    duels = tuple(duel(best, by_model[best], each.model, by_model[each.model]) for each in ranked[1:])
    held = holm([each.p for each in duels])
    apart = tuple(yes and each.first_only > each.second_only for yes, each in zip(held, duels, strict=True))
    return Ranking(ranked, duels, apart)


def duel(first: int, firsts: Iterable[Answer], second: int, seconds: Iterable[Answer]) -> Duel:
    """Compare two models, prompt by prompt."""
    one = {each.prompt: each.passed for each in firsts if each.passed is not None}
    two = {each.prompt: each.passed for each in seconds if each.passed is not None}
    both = one.keys() & two.keys()
    first_only = sum(bool(one[prompt]) and not two[prompt] for prompt in both)
    second_only = sum(bool(two[prompt]) and not one[prompt] for prompt in both)
    return Duel(first, second, len(both), first_only, second_only, mcnemar(first_only, second_only))


def _standing(model: int, found: Sequence[Answer]) -> Standing:
    answered = [each for each in found if each.error is None]
    times = [each.seconds for each in answered if each.seconds is not None]
    firsts = [each.first_seconds for each in answered if each.first_seconds is not None]
    judged = [each for each in answered if each.judge_usage.output_tokens is not None or each.judged]
    return Standing(
        model,
        sum(each.passed is True for each in answered),
        sum(each.passed is not None for each in answered),
        len(answered),
        len(found) - len(answered),
        sum(times) / len(times) if times else None,
        mean_interval(times),
        sum(firsts) / len(firsts) if firsts else None,
        _sum([each.usage.input_tokens for each in answered]),
        _sum([each.usage.output_tokens for each in answered]),
        money([each.cost for each in answered]),
        money([each.judge_cost for each in judged]) if judged else None,
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [each for each in counts if each is not None]
    return sum(known) if known and len(known) == len(counts) else None


def money(costs: Sequence[Decimal | None]) -> Decimal | None:
    """The sum in USD; None if any of them is not known, or there are none."""
    known = [each for each in costs if each is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None
