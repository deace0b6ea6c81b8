"""Writes the summary that replaces older exchanges, in as many model calls as it takes.

A summary is made from its source messages and the summary before it, and from nothing else. The messages stay stored as
they are. An empty or stopped summary counts as none. lib/context/strategies/summarize.py decides when one is needed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lib.context import WantedSummary
from lib.context.candidates import Summary
from lib.errors import ChatError, ProviderError
from lib.message_parts import Image, Other, Part, Text, ToolCall, ToolResult, parts_of
from lib.messages import Message, Usage, system, user
from lib.providers import ChatRequest, Provider, Reply
from lib.providers.repetition import REPETITION, until_repetition
from lib.tokens import TokenCounter
from lib.turns import Summarized

INSTRUCTIONS = (
    "You write summaries of conversations, for a model that will not see the conversation itself. Keep every name,"
    " number, date, decision, preference and open question. Write plain sentences, no headings. Do not add anything."
)
STEP_TOKENS = 2_000
"""Tokens of messages in one step: what the small model can hold beside the summary so far."""
WORDS_PER_TOKEN = 0.6
"""Models keep to a number of words better than to one of tokens; English has about 0.75 words in a token."""


@dataclass(frozen=True, slots=True)
class Summarizer:
    """A provider and model that write summaries, and the counter that measures them.

    It reads `step_tokens` of messages at once, and gives up when `going_on` returns False between two pieces.
    """

    provider: Provider
    model: str
    counter: TokenCounter
    step_tokens: int = STEP_TOKENS
    going_on: Callable[[], bool] = field(default=lambda: True)

    def make(self, wanted: WantedSummary, history: Sequence[Message]) -> tuple[Summary, Summarized]:
        """Write the summary; return it with its cost. Raises ChatError if there is none."""
        started = time.time()
        text = wanted.previous.text if wanted.previous is not None else ""
        longest = max(16, wanted.room - self.counter.count(Summary("", ()).message))
        used: list[Usage] = []
        messages = [message for start, stop in wanted.added for message in history[start:stop]]
        for step in self.steps(messages):
            reply = self._ask(request_of(self.model, text, step, longest))
            text = ended(reply.text) if reply.stop_reason == "length" else reply.text.strip()
            used.append(reply.usage)
            if not text:
                raise ProviderError("The summary came back empty.", next_step="Choose another model for summaries.")
        made = Summarized(self.provider.name, self.model, total(used), (time.time() - started) * 1000, len(used))
        return Summary(text, wanted.sources, self.model, time.time()), made

    def steps(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        """Group messages by at most `step_tokens`. A larger message is shortened in its middle."""
        group: list[Message] = []
        room = self.step_tokens
        for message, tokens in zip(messages, self.counter.count_many(messages), strict=True):
            if tokens > self.step_tokens:
                message, tokens = shortened(message, self.step_tokens / tokens), self.step_tokens
            if group and tokens > room:
                yield group
                group, room = [], self.step_tokens
            group.append(message)
            room -= tokens
        if group:
            yield group

    def _ask(self, request: ChatRequest) -> Reply:
        for event in until_repetition(self.provider.stream(self.provider.prepare(request)), request.model):
            if not self.going_on():
                raise ChatError(
                    "You stopped it while the oldest messages were being summarized.",
                    next_step="Retry, edit or discard it.",
                )
            if isinstance(event, Reply):
                if event.stop_reason == REPETITION:
                    raise ProviderError("The model began to repeat itself while it wrote the summary.")
                return event
        raise ProviderError("The summary ended before it was complete.")


def request_of(model: str, so_far: str, messages: Sequence[Message], longest: int) -> ChatRequest:
    """The request of one step. The summary may be `longest` tokens."""
    parts = [f"Summary so far:\n{so_far}\n"] if so_far else []
    parts.append("The conversation goes on:" if so_far else "The conversation:")
    parts += [f"{message.role}: {spoken(message)}" for message in messages]
    words = max(10, int(longest * WORDS_PER_TOKEN))
    parts.append(f"\nWrite one summary of {'all of this' if so_far else 'it'} in at most {words} words.")
    return ChatRequest(model, (system(INSTRUCTIONS), user("\n".join(parts))), longest)


def spoken(message: Message) -> str:
    """A message as text; tool calls by name, results by content. The data of images and reasoning are left out."""
    return " ".join(filter(None, map(_spoken, parts_of(message)))).strip() or "(empty)"


def _spoken(part: Part) -> str:
    if isinstance(part, ToolCall):
        return f"[calls {part.name}]"
    if isinstance(part, Text | ToolResult):
        return part.text
    return "[image]" if isinstance(part, Image) else f"[{part.kind}]" if isinstance(part, Other) else ""


def shortened(message: Message, part: float) -> Message:
    """Keep about this part of a message's text: its beginning and its end."""
    text = spoken(message)
    half = max(1, int(len(text) * part * 0.45))
    return Message(message.role, f"{text[:half]} […] {text[-half:]}")


def ended(text: str) -> str:
    """Trim a text that was cut off to its last whole sentence. Without one, return it as it is.

    Example: ended("They plan a trip. It will be in M") -> "They plan a trip."
    """
    whole = max(text.rfind(mark) for mark in (". ", "! ", "? ", ".\n", "。"))
    return (text[: whole + 1] if whole > 0 else text).strip()


def total(used: Sequence[Usage]) -> Usage:
    """The usage of all steps together; unknown if any of them is."""

    def added(name: str) -> int | None:
        known = [getattr(usage, name) for usage in used]
        return None if not known or any(count is None for count in known) else sum(known)

    return Usage(**{name: added(name) for name in Usage.__dataclass_fields__})
