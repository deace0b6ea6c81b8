"""Which rules of a provider a request breaks: breaches.

The rule: what is judged is what goes out, in the order it goes out, and every breach says which messages it is about.
A breach whose rule is not `refused` is a note: the request is accepted, or something in it is changed without a word.
It leaves out what needs the model: which of a vendor's models is stricter than the others stands in the rule's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lib.context.plan import ContextWindow
from lib.messages import Message
from lib.request_rules.provider_view import as_known, is_blank, is_empty, is_known
from lib.request_rules.rules import PROVIDERS, Rule, RuleProvider, rule
from lib.tool_calls import Pairing, call_ids, result_ids


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that is broken, the positions of the messages that break it, and a sentence for people (which counts from 1)."""

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
    """Every rule these messages break, sent in this order (instructions first, as the adapters take them).

    Sizes are judged where both are known. The first breaches in the list are the refused ones.
    Example: breaches("openai", [user("q"), Message("tool", "42", {"tool_call_id": "c1"})])[0].rule.name -> "orphan_result"
    """
    found = [breach for check in CHECKS for breach in check(provider, messages)]
    if input_tokens is not None and window is not None:
        found += _size(provider, input_tokens, window)
    return sorted(found, key=lambda breach: not breach.rule.refused)


def refusals(provider: RuleProvider, messages: Sequence[Message]) -> list[Breach]:
    """The breaches of shape that the provider answers with an error."""
    return [breach for breach in breaches(provider, messages) if breach.rule.refused]


def _no_message(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    if not messages or (provider != "openai" and all(message.is_system for message in messages)):
        yield Breach(rule(provider, "no_message"), (), "There is no message to answer.")


def _unknown_part(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    for at, message in enumerate(messages):
        if not is_known(provider, message):
            what = f"{_named(at)} ({message.role}) holds something that {PROVIDERS[provider]} has no word for."
            yield Breach(rule(provider, "unknown_part"), (at,), what)


def _empty_content(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    broken, last = rule(provider, "empty_content"), last_spoken(messages)
    for at, message in enumerate(messages):
        if provider == "anthropic" and (message.is_system or (message.role == "assistant" and at == last)):
            continue  # "except for the optional final assistant message"
        known = as_known(provider, message)
        if known is not None and is_empty(provider, known):
            yield Breach(broken, (at,), f"{_named(at)} ({message.role}) is empty, or a part of it is.")
    systems = [at for at, message in enumerate(messages) if message.is_system]
    lifted = "\n\n".join(messages[at].text for at in systems)
    if provider == "anthropic" and lifted and is_blank(lifted):
        yield Breach(broken, tuple(systems), "The instructions hold nothing but blanks.")


def _unpaired(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    """Calls without all their results, and results without their call, among what the provider knows."""
    known = [(at, seen) for at, message in enumerate(messages) if (seen := as_known(provider, message)) is not None]
    sent = [(at, seen) for at, seen in known if not (provider == "anthropic" and seen.is_system)]
    pairing, counts = Pairing(), range(len(sent) + 1)
    for position, (_, message) in enumerate(sent):
        pairing.add(position, message, counts)
    for start, stop in pairing.unpaired(len(sent)):
        yield from _stretch(provider, sent[start:stop])


def _stretch(provider: RuleProvider, stretch: Sequence[tuple[int, Message]]) -> Iterator[Breach]:
    at, call = stretch[0]
    wanted = set(call_ids(call)) - {None}
    results = stretch[1:] if call_ids(call) else stretch
    answers: list[int] = []
    for place, message in results:
        answered = set(result_ids(message))
        if answered <= wanted:
            answers.append(place)
            wanted -= answered
        else:
            what = f"{_named(place)} is a tool's result, and nothing before it asked for that."
            yield Breach(rule(provider, "orphan_result"), (place,), what)
    if call_ids(call):
        what = f"{_named(at)} calls a tool, and not all results follow right behind it."
        yield Breach(rule(provider, "unanswered_call"), (at, *answers), what)


def _first_role(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    first = next(((at, message) for at, message in enumerate(messages) if not message.is_system), None)
    if first is not None and first[1].role != "user":
        what = f"{_named(first[0])} ({first[1].role}) comes before any message of the user."
        yield Breach(rule(provider, "first_role"), (first[0],), what)


def _last_role(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    last = last_spoken(messages)
    known = None if last is None else as_known(provider, messages[last])
    if last is not None and known is not None and known.role == "assistant" and not call_ids(known):
        yield Breach(rule(provider, "last_role"), (last,), f"{_named(last)} is the assistant's, and none follows.")


def last_spoken(messages: Sequence[Message]) -> int | None:
    """Where the last message stands that is not instructions."""
    return next((at for at in reversed(range(len(messages))) if not messages[at].is_system), None)


def _system_place(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    spoken = next((at for at, message in enumerate(messages) if not message.is_system), len(messages))
    allowed = min(spoken, 1) if provider == "strict" else spoken
    late = tuple(at for at, message in enumerate(messages) if message.is_system and at >= allowed)
    if late:
        what = (
            f"{_named(*late)} {'holds' if len(late) == 1 else 'hold'} instructions, and do not stand at the beginning."
        )
        if len(late) == 1:
            what = what.replace("do not stand", "does not stand")
        yield Breach(rule(provider, "system_place"), late, what)


def _alternation(provider: RuleProvider, messages: Sequence[Message]) -> Iterator[Breach]:
    spoken = [at for at, message in enumerate(messages) if not message.is_system]
    for before, at in pairwise(spoken):
        if follows_itself(messages[before], messages[at]):
            what = f"{_named(before, at)} are both the {messages[at].role}'s, with nothing in between."
            yield Breach(rule(provider, "alternation"), (before, at), what)


def follows_itself(before: Message, message: Message) -> bool:
    """Whether both are the user's or the assistant's. Tool results in the user's name are nobody's turn."""
    same = before.role == message.role and message.role in ("user", "assistant")
    return same and not result_ids(before) and not result_ids(message)


def _size(provider: RuleProvider, input_tokens: int, window: ContextWindow) -> Iterator[Breach]:
    if input_tokens > window.max_tokens:
        what = f"The request is {input_tokens:,} tokens, the window holds {window.max_tokens:,}."
        yield Breach(rule(provider, "size"), (), what)
    elif input_tokens > window.input_budget:
        what = (
            f"The request is {input_tokens:,} tokens, the reply may be {window.reserved_for_reply:,}: together more"
            f" than the {window.max_tokens:,} of the window."
        )
        yield Breach(rule(provider, "reply_room"), (), what)


def _named(*indexes: int) -> str:
    """Example: _named(0, 2) -> "Messages 1 and 3" """
    numbers = [str(at + 1) for at in indexes]
    if len(numbers) == 1:
        return f"Message {numbers[0]}"
    return f"Messages {', '.join(numbers[:-1])} and {numbers[-1]}"


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
