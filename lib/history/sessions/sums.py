"""Sums over a session's turns, kept with the session so that a list of sessions need not read its turns.

They are kept as JSON in the field `sums` of the about hash, and the scripts that store turns add to them. A session
that an earlier version wrote, or another service, has none; then they are worked out from what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib import outside_values
from lib.messages import Message, Usage
from lib.turns import Turn

COUNTED = ("messages", "size", "turns", "dropped", "stopped", "imported")
"""The fields of Sums that are counts."""
NONE_YET = Usage(0, 0, 0, 0)
SEPARATOR = "\n"
"""Between provider and model in a stored name. Neither can hold it, because outside_values.word joins lines."""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens of all requests that one model answered, those that wrote summaries included.

    `turns` counts the requests, `unreported` those of them whose usage the provider did not report.
    """

    provider: str
    model: str
    turns: int = 0
    unreported: int = 0
    usage: Usage = NONE_YET

    def plus(self, usage: Usage, requests: int = 1) -> ModelUsage:
        """With the usage of more requests."""
        total = [a + b for a, b in zip(_counts(self.usage), _counts(usage), strict=True)]
        unreported = 0 if usage.input_tokens is not None else requests
        return ModelUsage(
            self.provider, self.model, self.turns + requests, self.unreported + unreported, _usage_of(total)
        )


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over a session. `size` is the length of the stored messages in bytes, by which changes are noticed."""

    messages: int = 0
    size: int = 0
    turns: int = 0
    dropped: int = 0
    """Turns whose request did not hold every stored message."""
    stopped: int = 0
    imported: int = 0
    """Messages that were imported."""
    last: tuple[str, str, str] = ("", "", "")
    """Provider, model and strategy of the newest turn."""
    usage: tuple[ModelUsage, ...] = ()
    """By provider and model, in the order of their names."""
    service: bool = False
    """Another service wrote the first messages."""

    def plus(self, turn: Turn) -> Sums:
        """With one turn more."""
        by_model = {(each.provider, each.model): each for each in self.usage}

        def add(provider: str, model: str, usage: Usage, requests: int = 1) -> None:
            known = by_model.get((provider, model), ModelUsage(provider, model))
            by_model[provider, model] = known.plus(usage, requests)

        add(turn.provider, turn.model, turn.usage)
        if turn.summarized is not None:
            written = turn.summarized
            add(written.provider, written.model, written.usage, written.requests)
        return replace(
            self,
            turns=self.turns + 1,
            dropped=self.dropped + (turn.plan is not None and turn.plan.left_out > 0),
            stopped=self.stopped + (turn.status == "stopped"),
            last=(turn.provider, turn.model, "" if turn.plan is None else turn.plan.strategy),
            usage=tuple(by_model[name] for name in sorted(by_model)),
        )

    def to_dict(self) -> dict[str, Any]:
        """As stored, without what is zero."""
        stored: dict[str, Any] = {
            name: getattr(self, name)
            for name in COUNTED
            if getattr(self, name)
        }
        if any(self.last):
            stored["last"] = list(self.last)
        if self.usage:
            stored["usage"] = {
                f"{each.provider}{SEPARATOR}{each.model}": [each.turns, each.unreported, *_counts(each.usage)]
                for each in self.usage
            }
        return stored | ({"service": True} if self.service else {})

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Sums:
        """Read stored sums. What cannot be used counts as zero."""
        last = [outside_values.word(part) or "" for part in stored.get("last", [])][:3]
        usage = []
        for name, counts in sorted(dict(stored.get("usage") or {}).items()):
            provider, _, model = name.partition(SEPARATOR)
            turns, unreported, *used = [outside_values.count(count) or 0 for count in counts]
            usage.append(ModelUsage(provider, model, turns, unreported, _usage_of([*used, 0, 0, 0, 0, 0])))
        numbers = {name: outside_values.count(stored.get(name)) or 0 for name in COUNTED}
        provider, model, strategy = (*last, "", "", "")[:3]
        return cls(
            **numbers, last=(provider, model, strategy), usage=tuple(usage), service=stored.get("service") is True
        )


def of_turns(turns: Sequence[Turn], messages: Sequence[Message] = (), *, imported: int = 0, size: int = 0) -> Sums:
    """The sums of these turns and messages. `size` is the stored messages' length in bytes."""
    sums = Sums(messages=len(messages), imported=imported, size=size)
    for turn in turns:
        sums = sums.plus(turn)
    return sums


def _counts(usage: Usage) -> tuple[int, ...]:
    """Input, cached, cache-write, output and hidden tokens; 0 for what is not reported."""
    return (
        usage.input_tokens or 0,
        usage.cached_tokens or 0,
        usage.cache_write_tokens or 0,
        usage.output_tokens or 0,
        usage.hidden_tokens or 0,
    )


def _usage_of(counts: Sequence[int]) -> Usage:
    read, cached, written, output, hidden = counts[:5]
    return Usage(read, cached, written, output, hidden_tokens=hidden or None)
