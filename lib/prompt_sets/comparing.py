"""Compares two runs prompt by prompt: which answers flipped from passed to failed, and which the other way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.prompt_sets import Prompt
from lib.prompt_sets.figures import mcnemar
from lib.prompt_sets.runs import Answer


@dataclass(frozen=True, slots=True)
class Asked:
    """One model of one run: its prompts and its answers to them, by their places."""

    prompts: Sequence[Prompt]
    answers: Mapping[int, Answer]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt that both have. Either answer is None if there is none."""

    prompt: Prompt
    before: Answer | None
    after: Answer | None

    @property
    def change(self) -> str:
        """ "better", "worse", "same", or "" where one of them has no verdict."""
        first = None if self.before is None else self.before.passed
        second = None if self.after is None else self.after.passed
        if first is None or second is None:
            return ""
        return "same" if first == second else "better" if second else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`only_before` and `only_after` count prompts that the other run does not have."""

    pairs: tuple[Pair, ...]
    only_before: int
    only_after: int

    def count(self, change: str) -> int:
        """How many pairs changed in this way."""
        return sum(pair.change == change for pair in self.pairs)

    @property
    def p(self) -> float:
        """McNemar's exact p-value of the difference."""
        return mcnemar(self.count("worse"), self.count("better"))


def compare(before: Asked, after: Asked) -> Comparison:
    """Match the prompts by their system prompt and text, so that a set may have grown or been reordered meanwhile."""
    later: dict[tuple[str, str], list[int]] = {}
    for place, prompt in enumerate(after.prompts):
        later.setdefault((prompt.system, prompt.text), []).append(place)
    pairs, missing = [], 0
    for place, prompt in enumerate(before.prompts):
        places = later.get((prompt.system, prompt.text))
        if not places:
            missing += 1
            continue
        pairs.append(Pair(prompt, before.answers.get(place), after.answers.get(places.pop(0))))
    return Comparison(tuple(pairs), missing, len(after.prompts) - len(pairs))
