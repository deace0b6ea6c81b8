"""One rule at a time: how a list of messages stops breaking it. What `repair` is put together from.

The rule: as little as possible. A part of a message goes before the message does, null becomes empty text where that is
accepted, and the person's newest words (`keep`) never go. Every change says which rule made it and which messages it is
about. It leaves out the order of the mending and when it is done (`repair`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from lib.messages import Message
from lib.request_rules.check import Breach
from lib.request_rules.provider_view import TOOL_PARTS, as_known, is_blank, is_empty
from lib.request_rules.rules import Rule, RuleProvider

Kind = Literal["removed", "changed", "moved", "merged"]


@dataclass(frozen=True, slots=True)
class Change:
    """What was done about a rule. `indexes` are positions in the request as it was before any repair."""

    rule: Rule
    kind: Kind
    indexes: tuple[int, ...]
    sentence: str


class Piece(NamedTuple):
    """A message on its way through the repair, and where it, or what was merged into it, stood before."""

    message: Message
    origins: tuple[int, ...]


Mended = tuple[list[Piece], list[Change]]


def without_foreign(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """Parts that the provider has no word for go; the message only where nothing else is in it."""
    (at,) = breach.indexes
    known = as_known(provider, pieces[at].message)
    left = replace(known, extra=pieces[at].message.extra) if known is not None else None
    return _put(pieces, breach.rule, at, left, keep, "The part that is not known goes.")


def without_emptiness(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """Blank parts go, null becomes empty text where it has to stay, and a message with nothing in it goes."""
    if len(breach.indexes) > 1 or pieces[breach.indexes[0]].message.is_system:
        return _without(pieces, breach.rule, breach.indexes)
    (at,) = breach.indexes
    message, origins = pieces[at]
    filled = _filled(provider, message)
    if filled is None and provider != "anthropic" and (message.role == "tool" or keep in origins):
        filled = replace(message, content="", has_content=True)
    return _put(pieces, breach.rule, at, filled, keep, "What is empty in it goes, or becomes empty text.")


def _filled(provider: RuleProvider, message: Message) -> Message | None:
    """The message without what is empty in it; None where that is all of it."""
    extra = {name: value for name, value in message.extra.items() if name != "tool_calls" or value != []}
    content = message.content
    if provider == "anthropic" and isinstance(content, list):
        content = [part for part in content if not _is_blank_text(part)]
    filled = replace(message, content=content, extra=extra)
    known = as_known(provider, filled)
    return None if known is None or is_empty(provider, known) else filled


def _is_blank_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and is_blank(part.get("text"))


def without_tools(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """The call with what came of it goes, or the result nobody asked for. What else the messages say stays."""
    mended, changes = list(pieces), list[Change]()
    for at in sorted(breach.indexes, reverse=True):
        spoken = _spoken(mended[at].message)
        mended, more = _put(mended, breach.rule, at, spoken, keep, "The call or result in it goes, the words stay.")
        changes = more + changes
    return mended, changes


def _spoken(message: Message) -> Message | None:
    """A message without calls and results; None where it says nothing else."""
    content = message.content
    if isinstance(content, list):
        content = [part for part in content if not (isinstance(part, Mapping) and part.get("type") in TOOL_PARTS)]
    if message.role == "tool" or not content or (isinstance(content, str) and is_blank(content)):
        return None
    return replace(
        message, content=content, extra={name: value for name, value in message.extra.items() if name != "tool_calls"}
    )


def without_beginning(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """Everything before the user's first message goes, but for instructions."""
    first = next((at for at, piece in enumerate(pieces) if piece.message.role == "user"), len(pieces))
    return _without(pieces, breach.rule, [at for at in range(first) if not pieces[at].message.is_system])


def without_ending(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """The assistant's last words go."""
    return _without(pieces, breach.rule, breach.indexes)


def with_systems_first(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """All instructions become one message at the beginning."""
    systems = [piece for piece in pieces if piece.message.is_system]
    lead = systems[0]
    for piece in systems[1:]:
        lead = merged(lead, piece)
    what = f"All instructions stand at the beginning, as one message ({_of(lead.origins)})."
    rest = [piece for piece in pieces if not piece.message.is_system]
    return [lead, *rest], [Change(breach.rule, "moved", lead.origins, what)]


def with_one_turn(provider: RuleProvider, pieces: Sequence[Piece], breach: Breach, keep: int | None) -> Mended:
    """Two messages of the same speaker become one."""
    before, at = breach.indexes
    one = merged(pieces[before], pieces[at])
    what = f"{_of(one.origins)} become one message."
    rest = [*pieces[:before], one, *pieces[before + 1 : at], *pieces[at + 1 :]]
    return rest, [Change(breach.rule, "merged", one.origins, what)]


def merged(first: Piece, second: Piece) -> Piece:
    """Both contents in one message: texts with an empty line between them, parts behind each other.

    Example: "a" and "b" -> "a\\n\\nb"
    """
    one, other = first.message, second.message
    content = _joined(one.content, other.content)
    return Piece(replace(one, content=content, extra={**one.extra, **other.extra}), first.origins + second.origins)


def _joined(one: Any, other: Any) -> Any:
    if not one or not other:
        return one or other
    if isinstance(one, str) and isinstance(other, str):
        return f"{one}\n\n{other}"
    return [*_parts(one), *_parts(other)]


def _parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _put(
    pieces: Sequence[Piece], rule: Rule, at: int, message: Message | None, keep: int | None, sentence: str
) -> Mended:
    """The message in this place; without one it goes, unless it is the one to keep: then nothing happens."""
    origins = pieces[at].origins
    if message is None:
        return (list(pieces), []) if keep in origins else _without(pieces, rule, [at])
    if message == pieces[at].message:
        return list(pieces), []
    changed = Change(rule, "changed", origins, f"{_of(origins)} is changed. {sentence}")
    return [*pieces[:at], Piece(message, origins), *pieces[at + 1 :]], [changed]


def _without(pieces: Sequence[Piece], rule: Rule, places: Sequence[int]) -> Mended:
    gone = [pieces[at].origins for at in places]
    changes = [Change(rule, "removed", origins, f"{_of(origins)} is left out.") for origins in gone]
    return [piece for at, piece in enumerate(pieces) if at not in set(places)], changes


def _of(origins: Sequence[int]) -> str:
    numbers = [str(at + 1) for at in origins]
    return f"Message {numbers[0]}" if len(numbers) == 1 else f"Messages {', '.join(numbers[:-1])} and {numbers[-1]}"


Mend = Callable[[RuleProvider, Sequence[Piece], Breach, int | None], Mended]
MENDS: dict[str, Mend] = {
    "unknown_part": without_foreign,
    "empty_content": without_emptiness,
    "unanswered_call": without_tools,
    "orphan_result": without_tools,
    "system_place": with_systems_first,
    "first_role": without_beginning,
    "last_role": without_ending,
    "alternation": with_one_turn,
}
"""How each rule is mended, in the order in which that is done."""
