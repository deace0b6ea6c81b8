"""Sends one long message to see whether a server reads all of it, drops a part silently, and reports its usage.

The message begins with a code word and asks for it at the end. Who has read it all reports about as many tokens as were
counted, and can say the word.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lib.errors import ContextOverflow
from lib.messages import Message, Usage, user
from lib.providers import ChatRequest, Provider, Reply
from lib.tokens import TokenCounter

PROBE_TOKENS = 400
"""Size of the usual probe."""
MOST_TOKENS = 300_000
"""Size of the largest probe: larger windows are not tried."""
REPLY_TOKENS = 32
LINE_TOKENS = 14
"""About how long a line of the probe is."""
EXACT, ROUGH = 0.9, 0.6
"""The share of the counted tokens below which a report means that something was dropped: for counts that can be
trusted, and for others."""

Verdict = Literal["whole", "cut", "refused", "not reported"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A message to send, with its code word, and its size in tokens by `counter`."""

    message: Message
    word: str
    tokens: int
    counter: TokenCounter

    @classmethod
    def of_size(cls, tokens: int, counter: TokenCounter) -> Probe:
        """A probe of about so many tokens. The code word is random, so that no cache and no memory knows it."""
        word = f"marigold-{secrets.randbelow(9000) + 1000}"
        lines = [f"Line {number}: the river was calm at noon, and nobody crossed it." for number in _numbers(tokens)]
        message = user(
            "\n".join([f"The code word is {word}.", *lines, "Say the code word of the first line, and nothing else."])
        )
        return cls(message, word, counter.count(message) + counter.template(has_system=False), counter)

    @property
    def at_most(self) -> Usage:
        """What it can use: a third more than counted, because a counter may not be the model's own, and the longest
        reply."""
        return Usage(self.tokens + self.tokens // 3, 0, 0, REPLY_TOKENS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a probe. `recalled` is whether the reply has the code word."""

    verdict: Verdict
    tokens: int
    usage: Usage
    recalled: bool
    words: str = ""
    """What the server said, if it refused."""


def _numbers(tokens: int) -> range:
    return range(1, max(2, min(tokens, MOST_TOKENS) // LINE_TOKENS))


def send(provider: Provider, model: str, probe: Probe, wanted: Callable[[], bool] = lambda: True) -> Outcome:
    """Send a probe and judge the answer. It ends early when it is not `wanted` any more. Raises ProviderError."""
    request = ChatRequest(model, (probe.message,), REPLY_TOKENS)
    reply = Reply("")
    try:
        for event in provider.stream(provider.prepare(request)):
            if isinstance(event, Reply):
                reply = event
            if not wanted():
                break
    except ContextOverflow as error:
        return Outcome("refused", probe.tokens, Usage(), recalled=False, words=error.what)
    return Outcome(verdict_of(probe, reply.usage), probe.tokens, reply.usage, recalled=probe.word in reply.text)


def verdict_of(probe: Probe, usage: Usage) -> Verdict:
    """Whether the server read the whole probe, by the tokens that it reports."""
    if usage.input_tokens is None:
        return "not reported"
    exact = probe.counter.provenance in ("counted", "billed", "reconstructed")
    return "cut" if usage.input_tokens < probe.tokens * (EXACT if exact else ROUGH) else "whole"
