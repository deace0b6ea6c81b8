"""Turns what an SDK yields into our own values. Nothing of a provider's answer is stored or drawn without passing here.

The SDKs do not check the types in an answer, so a server can put anything in any field. Text that is not a string means
that it is no model server; a figure or name of a wrong type counts as not reported, and the reply says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from lib import outside_values
from lib.messages import Usage
from lib.providers import MOST_CHARACTERS, ReasoningDelta, Reply, TextDelta
from lib.providers.sdk_errors import not_an_answer, unfinished

Event = TypeVar("Event")

MISREAD = (AttributeError, TypeError, LookupError, ValueError, RecursionError, AssertionError)
"""What an SDK raises while it reads an answer that is JSON but not in its protocol."""


MOST_DIAGNOSIS = 4_000
"""Characters of what a server says about its cache that are kept."""


def events_of(stream: Iterable[Event], label: str) -> Iterator[Event]:
    """The events of an SDK's stream. Raises ProviderUnavailable for what the SDK cannot read, and the SDK's errors."""
    events = iter(stream)
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except MISREAD:
            raise not_an_answer(label) from None
        yield event


def part(holder: Any, name: str) -> Any:
    """A field of an SDK's object or of a plain one; None if it has no such field."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


class ReplyReader:
    """Collects one reply. `label` is the provider's name on pages."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._pieces: list[str] = []
        self._room = MOST_CHARACTERS
        self._reasoning: list[str] = []
        self._reasoning_room = MOST_CHARACTERS
        self._unusable: dict[str, str] = {}
        self.model: str | None = None
        self.id: str | None = None
        self.stop_reason: str | None = None
        self.diagnosis: Mapping[str, Any] = {}
        """What the server said about its prompt cache."""
        self.finished = False
        """Whether the server said that the reply is complete."""

    @property
    def begun(self) -> bool:
        """Whether anything came."""
        return bool(self._pieces or self.id or self.model or self.finished)

    @property
    def full(self) -> bool:
        """Whether the reply reached MOST_CHARACTERS. What comes after that is not read."""
        return self._room <= 0

    @property
    def empty(self) -> bool:
        """Whether no text came."""
        return not self._pieces

    def text(self, value: Any) -> TextDelta | None:
        """The next piece of text; None if there is none. Raises ProviderUnavailable if it is not text."""
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise not_an_answer(self._label)
        piece = value[: self._room]
        self._room -= len(piece)
        if not piece:
            return None
        self._pieces.append(piece)
        return TextDelta(piece)

    def reasoning(self, value: Any) -> ReasoningDelta | None:
        """The next piece of reasoning; None if there is none. What is no text counts as not reported."""
        if not isinstance(value, str):
            if value is not None:
                self._unusable["reasoning"] = outside_values.shown(value)
            return None
        piece = value[: self._reasoning_room]
        if not piece:
            return None
        self._reasoning_room -= len(piece)
        self._reasoning.append(piece)
        return ReasoningDelta(piece)

    @property
    def has_reasoned(self) -> bool:
        """Whether any reasoning came that can be read."""
        return bool(self._reasoning)

    @property
    def whole_reasoning(self) -> str:
        """All of it so far."""
        return "".join(self._reasoning)

    def items(self, value: Any) -> list[Any]:
        """A list; an empty one for null. Raises ProviderUnavailable for anything else."""
        if value is not None and not isinstance(value, list):
            raise not_an_answer(self._label)
        return value or []

    def told(self, name: str, value: Any) -> str | None:
        """A name that the server reports under `name`, on one line; None if it reports none that can be used."""
        read = outside_values.word(value)
        if read is None and value not in (None, ""):
            self._unusable[name] = outside_values.shown(value)
        return read

    def diagnosed(self, value: Any) -> None:
        """Keep what the server says about its prompt cache, in whatever shape it comes; a very large answer is not
        kept."""
        # the SDKs warn about values that their types do not have
        plain = value.to_dict(warnings=False) if hasattr(value, "to_dict") else value
        if plain is None:
            return
        kept = plain if isinstance(plain, Mapping) else {"value": plain}
        if outside_values.is_too_deep(kept) or len(repr(kept)) > MOST_DIAGNOSIS or not _is_json(kept):
            self._unusable["diagnostics"] = outside_values.shown(plain)
        else:
            self.diagnosis = kept

    def count(self, holder: Any, name: str) -> int | None:
        """The figure that an object of the answer reports under `name`; None if there is none that can be used."""
        value = part(holder, name)
        read = outside_values.count(value)
        if read is None and value is not None:
            self._unusable[name] = outside_values.shown(value)
        return read

    def reply(self, usage: Usage, asked_model: str, request_id: str | None) -> Reply:
        """The whole reply. Raises ProviderUnavailable if the server broke off before it was complete."""
        self.check_complete()
        return Reply(
            "".join(self._pieces),
            usage,
            self.model or asked_model,
            "too_long" if self.full else self.stop_reason,
            outside_values.word(request_id) or self.id,
            self.note,
            self.whole_reasoning,
            self.id,
            self.diagnosis,
        )

    def check_complete(self) -> None:
        """Raise ProviderUnavailable if the stream ended before the reply was complete."""
        if not self.finished and not self.full:
            raise unfinished(self._label, begun=self.begun)

    @property
    def note(self) -> str:
        """What the server reported and we cannot use, as a sentence; empty if there is nothing."""
        if not self._unusable:
            return ""
        told = ", ".join(f"{name} as {value}" for name, value in self._unusable.items())
        return f"{self._label} reported {told}. That cannot be used, so it counts as not reported."


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
