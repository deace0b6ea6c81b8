"""The generation settings of a session: temperature, seed and the like. What is off is not sent.

What each vendor calls them in a request is in lib/providers/generation_fields.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NoReturn, get_args

from lib.errors import ChatError
from lib.outside_values import number, shown

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[ReasoningEffort, ...] = get_args(ReasoningEffort)
"""Every effort that a vendor knows, from the least. Each model takes some of them."""

HIGHEST_TEMPERATURE = 2.0
LARGEST_SEED = 2**31 - 1
"""The largest seed that every server we know can take."""
LONGEST_REPLY = 1_000_000
"""Tokens."""
MOST_STOPS, LONGEST_STOP = 4, 100
"""Stop sequences of a request, and characters in one. OpenAI takes no more than four."""

WORDS: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top-p",
    "seed": "seed",
    "max_reply_tokens": "longest reply",
    "reasoning_effort": "reasoning effort",
    "stop": "stop sequences",
}
"""What people call each setting, by the names of Generation's fields."""


@dataclass(frozen=True, slots=True)
class Generation:
    """How a model writes its replies. None and the empty tuple mean that the setting is off and not sent.

    Raises ChatError for a value out of bounds, which says what it may be.
    """

    temperature: float | None = None
    """How much chance there is in the choice of each token, from 0 to 2."""
    top_p: float | None = None
    """The share of probability that tokens are chosen from, from 0 to 1."""
    seed: int | None = None
    max_reply_tokens: int | None = None
    """Longest reply in tokens. Without one, what the session reserves for the reply is the limit."""
    reasoning_effort: ReasoningEffort | None = None
    stop: tuple[str, ...] = ()
    """Texts at which the reply ends."""

    def __post_init__(self) -> None:
        _check_number("temperature", self.temperature, HIGHEST_TEMPERATURE)
        _check_number("top_p", self.top_p, 1.0)
        _check_whole("seed", self.seed, 0, LARGEST_SEED)
        _check_whole("max_reply_tokens", self.max_reply_tokens, 1, LONGEST_REPLY)
        if self.reasoning_effort is not None and self.reasoning_effort not in EFFORTS:
            _refuse("reasoning_effort", self.reasoning_effort, f"must be one of {', '.join(EFFORTS)}")
        _check_stop(self.stop)

    @property
    def is_off(self) -> bool:
        """Whether nothing is set."""
        return not self.to_dict()

    @property
    def summary(self) -> str:
        """What is set, in words; empty for nothing. Example: Generation(seed=7).summary -> "seed 7"."""
        return ", ".join(f"{WORDS[name]} {_shown(value)}" for name, value in self.to_dict().items())

    def without(self, name: str) -> Generation:
        """A copy with this setting off. Example: Generation(seed=7).without("seed") -> Generation()"""
        return Generation.of({kept: value for kept, value in self.to_dict().items() if kept != name})

    def to_dict(self) -> dict[str, Any]:
        """What is set, as JSON values. Example: Generation(seed=7).to_dict() -> {"seed": 7}"""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None and value != ()
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Generation:
        """From JSON values, where null is off. Raises ChatError for an unknown name or a value that cannot be used."""
        unknown = [name for name in values if name not in WORDS]
        if unknown:
            raise ChatError(
                f"{shown(unknown[0])} is no generation setting.",
                safe="Nothing was sent or changed.",
                next_step=f"There are {', '.join(WORDS)}.",
            )
        known = {name: value for name, value in values.items() if value is not None}
        if "stop" in known:
            known["stop"] = _texts(known["stop"])
        for name in ("seed", "max_reply_tokens"):
            if isinstance(known.get(name), float) and known[name].is_integer():
                known[name] = int(known[name])
        return cls(**known)

    @classmethod
    def read(cls, stored: Any) -> Generation:
        """From a stored value. What is not known or cannot be used of it counts as off; raises nothing."""
        read = cls()
        for name, value in stored.items() if isinstance(stored, Mapping) else ():
            try:
                one = cls.of({name: value})
                read = replace(read, **{name: getattr(one, name)})
            except ChatError:
                continue
        return read


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _texts(value: Any) -> tuple[Any, ...]:
    """One text or a list of texts, as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else (value,)


def _check_number(name: str, value: Any, most: float) -> None:
    checked = None if value is None else number(value)
    if value is not None and (checked is None or not 0 <= checked <= most):
        _refuse(name, value, f"must be a number from 0 to {most:g}")


def _check_whole(name: str, value: Any, least: int, most: int) -> None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is not None and not (whole and least <= value <= most):
        _refuse(name, value, f"must be a whole number from {least:,} to {most:,}")


def _check_stop(stop: tuple[str, ...]) -> None:
    if len(stop) > MOST_STOPS:
        _refuse("stop", list(stop), f"must be at most {MOST_STOPS} texts")
    for text in stop:
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_STOP:
            _refuse("stop", text, f"must be texts of 1 to {LONGEST_STOP} characters")


def _refuse(name: str, value: Any, expected: str) -> NoReturn:
    raise ChatError(
        f"The {WORDS[name]} is {shown(value)}, but {expected}.",
        safe="Nothing was sent or changed.",
        next_step="Correct it, or turn it off.",
    )


OFF = Generation()
