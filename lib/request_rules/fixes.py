"""Fixes the breaches of one rule. lib/request_rules/repair.py decides which fix is applied when.

Each fix changes as little as possible: it drops a part of a message rather than the message, turns null into empty text
if the provider accepts that, and never drops the newest user message. Every change names its rule and its messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from lib.messages import Message
from lib.request_rules.check import Breach, message_numbers
from lib.request_rules.provider_view import TOOL_PARTS, as_known, is_blank, is_empty
from lib.request_rules.rules import Rule, RuleProvider

ChangeKind = Literal["removed", "changed", "moved", "merged"]


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed because of a rule. `indexes` are positions in the request before any repair."""

    rule: Rule
    kind: ChangeKind
    indexes: tuple[int, ...]
    sentence: str


class TrackedMessage(NamedTuple):
    """A message during the repair, and the positions that it, or the messages merged into it, had before."""

    message: Message
    origins: tuple[int, ...]


Fixed = tuple[list[TrackedMessage], list[Change]]
"""The request after a fix, and its changes."""
Fix = Callable[[RuleProvider, Sequence[TrackedMessage], Breach, int | None], Fixed]
"""Fixes a breach. The last argument is the original position of the newest user message."""


def drop_unknown_parts(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Drop the parts that the provider does not know, and the message if nothing else is in it."""
    (index,) = breach.indexes
    known = as_known(provider, tracked[index].message)
    rest = replace(known, extra=tracked[index].message.extra) if known is not None else None
    return _replace(tracked, breach.rule, index, rest, newest, "The part that the provider does not know is dropped.")


def drop_empty_content(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Drop blank parts and empty messages. Where a message has to stay, null becomes empty text."""
    if len(breach.indexes) > 1 or tracked[breach.indexes[0]].message.is_system:
        return _drop(tracked, breach.rule, breach.indexes)
    (index,) = breach.indexes
    message, origins = tracked[index]
    filled = _without_blanks(provider, message)
    if filled is None and provider != "anthropic" and (message.role == "tool" or newest in origins):
        filled = replace(message, content="", has_content=True)
    return _replace(
        tracked, breach.rule, index, filled, newest, "What is empty in it is dropped or becomes empty text."
    )


def _without_blanks(provider: RuleProvider, message: Message) -> Message | None:
    """The message without its blank parts and empty list of calls; None if the provider still calls it empty."""
    extra = {name: value for name, value in message.extra.items() if name != "tool_calls" or value != []}
    content = message.content
    if provider == "anthropic" and isinstance(content, list):
        content = [part for part in content if not _is_blank_text(part)]
    filled = replace(message, content=content, extra=extra)
    known = as_known(provider, filled)
    return None if known is None or is_empty(provider, known) else filled


def _is_blank_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and is_blank(part.get("text"))


def drop_unpaired_tools(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Drop a call with the results it has, or a result without a call. Other text in these messages stays."""
    fixed, changes = list(tracked), list[Change]()
    for index in sorted(breach.indexes, reverse=True):
        rest = _without_tools(fixed[index].message)
        fixed, more = _replace(
            fixed, breach.rule, index, rest, newest, "The call or result in it is dropped, its text stays."
        )
        changes = more + changes
    return fixed, changes


def _without_tools(message: Message) -> Message | None:
    """The message without tool calls and results; None if nothing else is in it."""
    content = message.content
    if isinstance(content, list):
        content = [part for part in content if not (isinstance(part, Mapping) and part.get("type") in TOOL_PARTS)]
    if message.role == "tool" or not content or (isinstance(content, str) and is_blank(content)):
        return None
    extra = {name: value for name, value in message.extra.items() if name != "tool_calls"}
    return replace(message, content=content, extra=extra)


def drop_before_first_user(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Drop everything before the first user message, except system messages."""
    first = next((index for index, item in enumerate(tracked) if item.message.role == "user"), len(tracked))
    return _drop(tracked, breach.rule, [index for index in range(first) if not tracked[index].message.is_system])


def drop_last_reply(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Drop the assistant message at the end."""
    return _drop(tracked, breach.rule, breach.indexes)


def move_system_first(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Merge all system messages into one at the beginning."""
    first, *others = [item for item in tracked if item.message.is_system]
    for item in others:
        first = _merge(first, item)
    what = f"All instructions are moved to the beginning, as one message ({message_numbers(first.origins)})."
    rest = [item for item in tracked if not item.message.is_system]
    return [first, *rest], [Change(breach.rule, "moved", first.origins, what)]


def merge_same_speaker(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], breach: Breach, newest: int | None
) -> Fixed:
    """Merge two messages of the same speaker into one."""
    before, index = breach.indexes
    merged = _merge(tracked[before], tracked[index])
    what = f"{message_numbers(merged.origins)} become one message."
    rest = [*tracked[:before], merged, *tracked[before + 1 : index], *tracked[index + 1 :]]
    return rest, [Change(breach.rule, "merged", merged.origins, what)]


def _merge(first: TrackedMessage, second: TrackedMessage) -> TrackedMessage:
    """One message with both contents: texts with an empty line between them, or a list of all parts.

    Example: "a" and "b" -> "a\\n\\nb"
    """
    content = _merge_contents(first.message.content, second.message.content)
    extra = {**first.message.extra, **second.message.extra}
    return TrackedMessage(replace(first.message, content=content, extra=extra), first.origins + second.origins)


def _merge_contents(first: Any, second: Any) -> Any:
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_as_parts(first), *_as_parts(second)]


def _as_parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _replace(
    tracked: Sequence[TrackedMessage], rule: Rule, index: int, message: Message | None, newest: int | None, why: str
) -> Fixed:
    """Put this message in the place of another. None drops it, unless it is the newest user message."""
    origins = tracked[index].origins
    if message is None:
        return (list(tracked), []) if newest in origins else _drop(tracked, rule, [index])
    if message == tracked[index].message:
        return list(tracked), []
    change = Change(rule, "changed", origins, f"{message_numbers(origins)} is changed. {why}")
    return [*tracked[:index], TrackedMessage(message, origins), *tracked[index + 1 :]], [change]


def _drop(tracked: Sequence[TrackedMessage], rule: Rule, indexes: Sequence[int]) -> Fixed:
    dropped = [tracked[index].origins for index in indexes]
    changes = [Change(rule, "removed", origins, f"{message_numbers(origins)} is left out.") for origins in dropped]
    return [item for index, item in enumerate(tracked) if index not in set(indexes)], changes


FIXES: dict[str, Fix] = {
    "unknown_part": drop_unknown_parts,
    "empty_content": drop_empty_content,
    "unanswered_call": drop_unpaired_tools,
    "orphan_result": drop_unpaired_tools,
    "system_place": move_system_first,
    "first_role": drop_before_first_user,
    "last_role": drop_last_reply,
    "alternation": merge_same_speaker,
}
"""The fix for each rule, in the order in which they are applied."""
