"""Finds the rules of a provider that a request breaks.

The messages are judged as they are sent and in the order in which they are sent. A breach of a rule that is not
`refused` is a note: the provider accepts the request, or changes something in it silently. Where some of a vendor's
models are stricter than others, the rule's text says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lib.context.plan import ContextWindow
from lib.messages import Message
from lib.request_rules.provider_view import as_known, is_blank, is_empty, knows_message
from lib.request_rules.rules import PROVIDERS, Rule, RuleProvider, rule
from lib.tool_calls import Pairing, call_ids, result_ids


@dataclass(frozen=True, slots=True)
class Breach:
    """A broken rule, the positions of the messages that break it, and a sentence for people, which counts from 1."""

    rule: Rule
    indexes: tuple[int, ...]
    sentence: str


def breaches(
    provider: RuleProvider,
    messages: Sequence[Message],
    *,
    input_tokens: int | None = None,
    window: ContextWindow | None = None,
) -> list[Breach]:
    """Every rule that these messages break, refused ones first. Sizes are checked if tokens and window are both given.

    Example: breaches("openai", [user("q"), Message("tool", "42", {"tool_call_id": "c1"})])[0].rule.name
    -> "orphan_result"
    """
    found = [breach for check in CHECKS for breach in check(provider, messages)]
    if input_tokens is not None and window is not None:
        found += _size(provider, input_tokens, window)
    return sorted(found, key=lambda breach: not breach.rule.refused)


def refusals(provider: RuleProvider, messages: Sequence[Message]) -> list[Breach]:
    """The breaches for which the provider would refuse these messages, whatever their size."""
    return [breach for breach in breaches(provider, messages) if breach.rule.refused]


def message_numbers(indexes: Sequence[int]) -> str:
    """The messages at these positions, for people. Example: message_numbers([0, 2]) -> "Messages 1 and 3" """
    numbers = [str(index + 1) for index in indexes]
    if len(numbers) == 1:
        return f"Message {numbers[0]}"
    return f"Messages {', '.join(numbers[:-1])} and {numbers[-1]}"


def _no_message(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    if not messages or (provider != "openai" and all(message.is_system for message in messages)):
        yield Breach(rule(provider, "no_message"), (), "There is no message to answer.")


def _unknown_part(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    for index, message in enumerate(messages):
        if not knows_message(provider, message):
            what = (
                f"{message_numbers([index])} ({message.role}) holds something that {PROVIDERS[provider]} does not know."
            )
            yield Breach(rule(provider, "unknown_part"), (index,), what)


def _empty_content(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    broken, last = rule(provider, "empty_content"), _last_position(messages)
    for index, message in enumerate(messages):
        if provider == "anthropic" and (message.is_system or (message.role == "assistant" and index == last)):
            continue  # Anthropic: "except for the optional final assistant message"
        known = as_known(provider, message)
        if known is not None and is_empty(provider, known):
            what = f"{message_numbers([index])} ({message.role}) is empty, or a part of it is."
            yield Breach(broken, (index,), what)
    systems = tuple(index for index, message in enumerate(messages) if message.is_system)
    instructions = "\n\n".join(messages[index].text for index in systems)  # sent as one text to Anthropic
    if provider == "anthropic" and instructions and is_blank(instructions):
        yield Breach(broken, systems, "The instructions hold nothing but whitespace.")


def _unpaired(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    """Calls without all their results and results without their call, in what the provider knows of the messages."""
    known = [
        (index, seen) for index, message in enumerate(messages) if (seen := as_known(provider, message)) is not None
    ]
    sent = [(index, seen) for index, seen in known if not (provider == "anthropic" and seen.is_system)]
    pairing, sums = Pairing(), range(len(sent) + 1)
    for position, (_, message) in enumerate(sent):
        pairing.add(position, message, sums)
    for start, stop in pairing.unpaired(len(sent)):
        yield from _unpaired_range(provider, sent[start:stop])


def _unpaired_range(provider: RuleProvider, unpaired: Sequence[tuple[int, Message]]) -> Iterator[Breach]:
    """The breaches of one call with the results that follow it, or of a result without a call."""
    call_index, call = unpaired[0]
    calls = call_ids(call)
    missing = set(calls) - {None}
    matching: list[int] = []
    for index, message in unpaired[1:] if calls else unpaired:
        answered = set(result_ids(message))
        if answered <= missing:
            matching.append(index)
            missing -= answered
        else:
            what = f"{message_numbers([index])} is a tool result, but no tool call before it asked for it."
            yield Breach(rule(provider, "orphan_result"), (index,), what)
    if calls:
        what = f"{message_numbers([call_index])} calls a tool, but not all results follow directly."
        yield Breach(rule(provider, "unanswered_call"), (call_index, *matching), what)


def _first_role(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    first = next((index for index, message in enumerate(messages) if not message.is_system), None)
    if first is not None and messages[first].role != "user":
        what = f"{message_numbers([first])} ({messages[first].role}) comes before the first user message."
        yield Breach(rule(provider, "first_role"), (first,), what)


def _last_role(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    last = _last_position(messages)
    known = None if last is None else as_known(provider, messages[last])
    if last is not None and known is not None and known.role == "assistant" and not call_ids(known):
        what = f"{message_numbers([last])} is the assistant's, and it is the last one."
        yield Breach(rule(provider, "last_role"), (last,), what)


def _last_position(messages: Sequence[Message]) -> int | None:
    """The position of the last message that is not a system message."""
    return next((index for index in reversed(range(len(messages))) if not messages[index].is_system), None)


def _system_place(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    first = next((index for index, message in enumerate(messages) if not message.is_system), len(messages))
    allowed = min(first, 1) if provider == "strict" else first
    late = tuple(index for index, message in enumerate(messages) if message.is_system and index >= allowed)
    if late:
        verbs = "holds instructions, but is" if len(late) == 1 else "hold instructions, but are"
        what = f"{message_numbers(late)} {verbs} not at the beginning."
        yield Breach(rule(provider, "system_place"), late, what)


def _alternation(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    positions = [index for index, message in enumerate(messages) if not message.is_system]
    for before, index in pairwise(positions):
        if _same_speaker(messages[before], messages[index]):
            what = f"{message_numbers([before, index])} are both the {messages[index].role}'s, with nothing in between."
            yield Breach(rule(provider, "alternation"), (before, index), what)


def _same_speaker(before: Message, message: Message) -> bool:
    """Whether both are the user's or both the assistant's. Tool results with the user's role do not count."""
    same = before.role == message.role and message.role in ("user", "assistant")
    return same and not result_ids(before) and not result_ids(message)


def _size(provider: RuleProvider, input_tokens: int, window: ContextWindow) -> Iterator[Breach]:
    if input_tokens > window.max_tokens:
        what = f"The request has {input_tokens:,} tokens, the window holds {window.max_tokens:,}."
        yield Breach(rule(provider, "size"), (), what)
    elif input_tokens > window.input_budget:
        what = (
            f"The request has {input_tokens:,} tokens and the reply may have {window.reserved_for_reply:,}. Together"
            f" that is more than the {window.max_tokens:,} of the window."
        )
        yield Breach(rule(provider, "reply_room"), (), what)


CHECKS: tuple[Callable[[RuleProvider, Sequence[Message]], Iterator[Breach]], ...] = (
    _no_message,
    _unknown_part,
    _empty_content,
    _unpaired,
    _first_role,
    _last_role,
    _system_place,
    _alternation,
)
