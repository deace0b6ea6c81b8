"""Provider: whoever answers. The one rule: the last event of a stream is always a Reply, and every vendor exception
leaves as a ChatError.

A provider is built for one endpoint and one key, and is used from any thread. `body` is pure and holds no key: it is what
is hashed, shown and rebuilt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lib.messages import Message, Usage
from lib.providers.export import Address
from lib.request_rules import RuleProvider
from lib.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request. `messages` are everything that is sent, the system prompt first; the reply may be this many tokens."""

    model: str
    messages: Sequence[Message]
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply, as it arrived."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a stream. `stop_reason` is one of "end", "length" (cut off at max_output_tokens), "refused", or the
    provider's own word where none of these fits."""

    text: str
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    stop_reason: str | None = None
    request_id: str | None = None


class Provider(Protocol):
    """One endpoint that answers."""

    @property
    def name(self) -> str:
        """How settings and turns call it: "local", "openai", "anthropic", or a configured endpoint's name."""

    @property
    def rules(self) -> RuleProvider | None:
        """Whose rules requests have to obey there; None where nobody's are known."""

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The JSON body of the request, exactly as it goes out."""

    def address(self) -> Address:
        """Where `body` goes, for people who want to send it themselves. It holds no key."""

    def stream(self, request: ChatRequest) -> Iterator[TextDelta | Reply]:
        """Send it. Closing the iterator early ends the request. Raises ProviderError or ContextOverflow."""

    def models(self) -> list[str]:
        """The model names the server offers, asked from it. Raises ProviderError."""

    def count(self, request: ChatRequest) -> int | None:
        """Tokens of this request by the provider's own counting endpoint; None where it has none. Raises ProviderError."""

    def counter(self) -> TokenCounter | None:
        """The server's own per-message tokenizer, learnt on first use; None where it has none. Raises ProviderError."""


def body_bytes(body: Mapping[str, Any]) -> bytes:
    """A body as the bytes the SDKs put on the wire: UTF-8 JSON without blanks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def body_sha256(body: Mapping[str, Any]) -> str:
    """SHA-256 of those bytes, in hexadecimal: the proof of what was sent."""
    return hashlib.sha256(body_bytes(body)).hexdigest()
