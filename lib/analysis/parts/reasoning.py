"""What a model thought before it answered: its size, what it cost, and whether a later request sent it back.

Providers charge reasoning as output. Those that hide it report at most how many tokens it was; what they give to be
sent back is encrypted, and its length says nothing about its tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from lib.message_parts import Part, Reasoning, part_of, parts_of
from lib.messages import Message, assistant
from lib.pricing.costs import cost
from lib.pricing.model import Model
from lib.settings import EXAMPLE
from lib.tokens import Provenance, TokenCounter
from lib.turns import Turn

SentBack = Literal["text", "sealed", "both", "by id", "no"]
"""How reasoning was sent back: as text, encrypted or signed, both, by the id of an item that the server keeps, or not
at all."""


@dataclass(frozen=True, slots=True)
class Thought:
    """The reasoning of one turn. `text` is what can be read of it, empty if it is hidden. `usd` is at the output price:
    0 for a model on this machine, None if the price is not known."""

    text: str
    tokens: int
    provenance: Provenance
    usd: Decimal | None


def thought_of(turn: Turn, reply: Message | None, model: Model | None, counter: TokenCounter) -> Thought | None:
    """The reasoning of a turn whose reply is stored as `reply`; None if none is known.

    Its tokens are those that were reported; where none were, those of the text by `counter`.
    """
    text = turn.reasoning or ("" if reply is None else readable(reply))
    tokens, provenance = turn.usage.reasoning_tokens, turn.usage_provenance
    if turn.provider == EXAMPLE or (not text and not tokens):
        return None
    if not tokens:
        tokens, provenance = text_tokens(text, counter), counter.provenance
    return Thought(text, tokens, provenance, _usd(tokens, turn, model))


def _usd(tokens: int, turn: Turn, model: Model | None) -> Decimal | None:
    """The cost of so many tokens of output. What was read only decides the tier; if that was not reported, the first
    one is taken."""
    if model is None or model.vendor == "local":
        return None if model is None else Decimal(0)
    read, written = turn.usage.input_tokens or 0, max(tokens, turn.usage.output_tokens or 0)
    usage = replace(turn.usage, input_tokens=read, output_tokens=written, reasoning_tokens=tokens)
    price = cost(model, usage, turn.started_at)
    return None if price is None else price.reasoning


def has_reasoned(turn: Turn) -> bool:
    """Whether it is known that the model reasoned in this turn."""
    return bool(turn.reasoning or turn.usage.reasoning_tokens) and turn.provider != EXAMPLE


def readable(message: Message) -> str:
    """The reasoning that can be read in a stored message."""
    return "\n\n".join(part.text for part in parts_of(message) if isinstance(part, Reasoning) and part.text)


def text_tokens(text: str, counter: TokenCounter) -> int:
    """Tokens of a text alone, without what surrounds a message."""
    return max(0, counter.count(assistant(text)) - counter.count(assistant("")))


def sent_back(elements: Iterable[Any]) -> SentBack:
    """How the reasoning of a reply stands in what was sent for it: elements of a request's list of messages.

    Example: [{"role": "assistant", "content": "Yes", "reasoning_content": "Hm."}] -> "text"
    """
    found: list[Reasoning] = []
    named = False
    for element in elements:
        parts: Iterable[Part] = ()
        if isinstance(element, Mapping) and isinstance(element.get("role"), str):
            parts = parts_of(Message.from_dict(element))
        elif isinstance(element, Mapping):
            parts = (part_of(element),)
            named = named or (element.get("type") == "reasoning" and isinstance(element.get("id"), str))
        found += [part for part in parts if isinstance(part, Reasoning)]
    text, sealed = any(part.text for part in found), any(part.sealed for part in found)
    if text and sealed:
        return "both"
    return "text" if text else "sealed" if sealed else "by id" if named else "no"
