"""Sums over a session's turns, kept with the session so that a list of sessions need not read its turns.

They are kept as JSON in the field `sums` of the about hash, and the scripts that store turns add to them. A session
that an earlier version wrote, or another service, has none; then they are worked out from what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lib import outside_values
from lib.messages import Message, Usage
from lib.turns import Turn

NONE_YET = Usage(0, 0, 0, 0)
SEPARATOR = "\n"
"""Between provider and model in a stored name. Neither can hold it, because outside_values.word joins lines."""


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Tokens of all turns that one model answered. Turns without reported usage are counted in `unreported`."""

    provider: str
    model: str
    turns: int = 0
    unreported: int = 0
    usage: Usage = NONE_YET

    def plus(self, turn: Turn) -> ModelUsage:
        """With one turn more."""
        used, reported = turn.usage, turn.usage.input_tokens is not None
        return replace(
            self,
            turns=self.turns + 1,
            unreported=self.unreported + (not reported),
            usage=Usage(*(a + (b or 0) for a, b in zip(_counts(self.usage), _counts(used), strict=True))),
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
    usage: tuple[ModelUsage, ...] = field(default=())

    def plus(self, turn: Turn) -> Sums:
        """With one turn more."""
        name = (turn.provider, turn.model)
        by_model = {(each.provider, each.model): each for each in self.usage}
        by_model[name] = by_model.get(name, ModelUsage(*name)).plus(turn)
        return replace(
            self,
            turns=self.turns + 1,
            dropped=self.dropped + (turn.plan is not None and turn.plan.left_out > 0),
            stopped=self.stopped + (turn.status == "stopped"),
            last=(turn.provider, turn.model, "" if turn.plan is None else turn.plan.strategy),
            usage=tuple(by_model.values()),
        )

    def to_dict(self) -> dict[str, Any]:
        """As stored, without what is zero."""
        stored: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("messages", "size", "turns", "dropped", "stopped", "imported")
            if getattr(self, name)
        }
        if any(self.last):
            stored["last"] = list(self.last)
        if self.usage:
            stored["usage"] = {
                f"{each.provider}{SEPARATOR}{each.model}": [each.turns, each.unreported, *_counts(each.usage)]
                for each in self.usage
            }
        return stored

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Sums:
        """Read stored sums. What cannot be used counts as zero."""
        last = [outside_values.word(part) or "" for part in stored.get("last", [])][:3]
        usage = []
        for name, counts in dict(stored.get("usage") or {}).items():
            provider, _, model = name.partition(SEPARATOR)
            turns, unreported, *used = [outside_values.count(count) or 0 for count in counts]
            usage.append(ModelUsage(provider, model, turns, unreported, Usage(*used[:4])))
        numbers = {name: outside_values.count(stored.get(name)) or 0 for name in cls.__slots__[:6]}
        return cls(**numbers, last=(*last, "", "", "")[:3], usage=tuple(usage))  # type: ignore[arg-type]  # three words


def of_turns(turns: Sequence[Turn], messages: Sequence[Message] = (), *, imported: int = 0, size: int = 0) -> Sums:
    """The sums of these turns and messages. `size` is the stored messages' length in bytes."""
    sums = Sums(messages=len(messages), imported=imported, size=size)
    for turn in turns:
        sums = sums.plus(turn)
    return sums


def _counts(usage: Usage) -> tuple[int, int, int, int]:
    """Input, cached, cache-write and output tokens; 0 for what is not reported."""
    fields = (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens)
    return tuple(value or 0 for value in fields)  # type: ignore[return-value]  # four of them
