"""Counting a request with the tokenizer its model uses, without asking anyone.

The rule: a request's size is the sum of its messages plus `template`, and every number says how far it can be trusted
("counted", "reconstructed", "assumed", "estimated"). No model name raises: one that is not known is counted by the nearest
tokenizer and labelled "assumed". Nothing is loaded before the first message is counted, and a text is counted once.
It leaves out counting endpoints (lib/providers/), and what providers add on their side: tool descriptions, JSON schemas,
hidden reasoning, searches. Pictures and files are a floor, see `all_text`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from lib.messages import Message
from lib.tokens import Provenance, TokenCounter
from lib.tokens.cache import text_counts
from lib.tokens.vocabularies import TOKENIZERS, claude

OTHER_PART = 85
"""Tokens for a part that is no text. OpenAI's documented price of a small picture; a floor, a large one costs ten times that."""
CLAUDE_PER_O200K = 1.35
"""Tokens of the newest Claude for one of o200k_base, roughly: right for prose in English and code, up to 45 % too few for
other scripts."""

_OTHERS = re.compile(
    r"\b(?:llama|qwen|qwq|mi[sx]tral|ministral|codestral|deepseek|gemma|gemini|phi|glm|kimi|minimax|grok|command|smollm)"
)
"""Families of other makers, which answer through OpenAI's or Anthropic's API on other servers."""
_NAME_ENDS = r"(?![a-z0-9]|\.\d)"


class MessageParts(NamedTuple):
    """What a message holds: its texts, how many tool calls it makes, how many parts are neither."""

    texts: list[str]
    calls: int = 0
    others: int = 0


def all_text(message: Message) -> bool:
    """Whether everything in a message can be counted. Of tool calls the names and arguments are counted, not how the
    provider wraps them; of a picture or a file nothing but a floor of OTHER_PART tokens: show such a number as "at least".
    """
    return isinstance(message.content, str | list | None) and _parts(message)[1:] == (0, 0)


def _parts(message: Message) -> MessageParts:
    """The message taken apart. A content no provider knows (a number, an object) is its JSON, as the source has it."""
    texts: list[str] = []
    calls = others = 0
    content = message.content if isinstance(message.content, list) else [message.text] if message.text else []
    for part in content:
        found = _part(part)
        if found is None:
            others += 1
        else:
            texts += found
            calls += isinstance(part, dict) and part.get("type") == "tool_use"
    for call in _calls(message.extra):
        texts += [_text(call.get("name")), _text(call.get("arguments"))]
        calls += 1
    return MessageParts(texts, calls, others)


def _part(part: Any) -> list[str] | None:
    """The texts of one content part, None if it is none: OpenAI's and Anthropic's kinds."""
    if isinstance(part, str):
        return [part]
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "input_text", "output_text"):
        return [_text(part.get("text"))]
    if kind in ("refusal", "thinking"):
        return [_text(part.get(kind))]
    if kind == "tool_use":
        return [_text(part.get("name")), _text(part.get("input"))]
    if kind == "tool_result":
        inner = part.get("content")
        found = [_part(each) for each in inner] if isinstance(inner, list) else [[_text(inner)]]
        return None if None in found else [text for texts in found for text in texts or ()]
    return None


def _calls(extra: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The functions an OpenAI message calls, in today's form and the one before."""
    calls = extra.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function", call.get("custom")) if isinstance(call, dict) else None
        yield function if isinstance(function, dict) else {"arguments": call}
    if isinstance(extra.get("function_call"), dict):
        yield extra["function_call"]


def _text(value: Any) -> str:
    """A string as it is, nothing as nothing, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


@dataclass(frozen=True, slots=True)
class LocalCounter:
    """A TokenCounter with a tokenizer of ours. `per_message` and `opening` are tokens around each message and around all of
    them; `factor` is tokens per token where another vocabulary stands in.

    This class itself is the stand-in for models that have no tokenizer here: four tokens for the frame of a message and
    three for the reply's opening, about what the usual chat templates take.
    """

    name: str
    provenance: Provenance
    tokenizer: str
    per_message: int = 4
    opening: int = 3
    factor: float = 1.0

    def count(self, message: Message) -> int:
        """Tokens of one message with its frame. Each tool call has a frame of its own."""
        if isinstance(message.content, str) and not message.extra:
            return self._frame(message) + self._tokens(message.content)
        texts, calls, others = _parts(message)
        return self._frame(message) + sum(map(self._tokens, texts)) + calls * self.per_message + others * OTHER_PART

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """The same for many."""
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        """Tokens of a request beyond its messages. No hosted model adds a system message of its own."""
        return self.opening

    def _frame(self, message: Message) -> int:
        return self.per_message

    def _tokens(self, text: str) -> int:
        tokens = text_counts(self.tokenizer)(text)
        return tokens if self.factor == 1 else math.ceil(self.factor * tokens)


class OpenAICounter(LocalCounter):
    """3 + role + content for each message, 1 + name where it has one, and the reply's opening: 3 for models that answer at
    once, 2 for those that reason first. Equals `prompt_tokens` of every recorded request that is text alone.
    """

    def _frame(self, message: Message) -> int:
        sender = message.extra.get("name")
        named = 1 + self._tokens(sender) if isinstance(sender, str) else 0
        return self.per_message + self._tokens(message.role) + named


class ClaudeCounter(LocalCounter):
    """A system message is its content; every other one its content + 3 (Claude 3 to 4.6) or + 2 (4.8 and later), and four
    for the whole, so that one user message alone is what ctok counts. Fitted on recorded requests; for 4.7 no request with
    several messages is known, and + 7 is assumed from its frame of 11. A role that repeats costs 1 or 2 less than counted.
    """

    def _frame(self, message: Message) -> int:
        return 0 if message.is_system else self.per_message


OPENAI_FAMILIES: tuple[tuple[str, str, int, Provenance], ...] = (
    (r"gpt-?4o(?:-mini)?-(?:search|audio|realtime|transcribe|tts)", "o200k_base", 3, "assumed"),
    (r"gpt-?4o|gpt-?4\.1|gpt-?4\.5", "o200k_base", 3, "counted"),
    (r"chatgpt-4o", "o200k_base", 3, "assumed"),
    (r"gpt-?4|gpt-?3\.5|gpt-?35", "cl100k_base", 3, "counted"),
    (r"o1-(?:mini|preview)", "o200k_base", 2, "assumed"),
    (r"o3|gpt-?5|gpt-?5\.[0-6]|computer-use-preview", "o200k_base", 2, "counted"),
    (r"", "o200k_base", 2, "assumed"),
)
"""How a model's name begins, its vocabulary, the reply's opening in tokens, and how far that can be trusted: "counted" where
recorded requests agree or tiktoken itself names the vocabulary. The last row is every other one: o1, o4, gpt-oss, GPT-6."""
CLAUDE_PER_MESSAGE = {"3.0": 3, "4.7": 7, "4.8": 2}
_CLAUDE_VERSION = re.compile(r"claude\D*?(?<!\d)(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")


@lru_cache(maxsize=512)
def counter_for(kind: str, model: str) -> TokenCounter:
    """The counter of a model. `kind` is whose API answers ("openai", "anthropic", or another word); a model whose name says
    more is believed. Names may carry a maker, a date, a fine-tuning: "openai/gpt-4o-2024-08-06", "ft:gpt-4o:acme::1".

    Example: counter_for("openai", "gpt-5.6").template(has_system=True) -> 2
    """
    name = _plain(model)
    if "claude" in name or (kind == "anthropic" and not _OTHERS.search(name)):
        return _claude(name)
    openai = re.match(r"(?:chat)?gpt|o\d(?![a-z0-9.])|codex|computer-use", name)
    if openai or (kind == "openai" and not _OTHERS.search(name)):
        return _openai(name)
    return LocalCounter("o200k_base as a stand-in", "assumed", "o200k_base")


def tokenizer_of(counter_name: str) -> str | None:
    """The key in TOKENIZERS of what a counter cuts texts with, None where none of ours does.

    Example: tokenizer_of("o200k_base × 1.35") -> "o200k_base"
    """
    return next((name for name in TOKENIZERS if counter_name.startswith(name)), None)


def _plain(model: str) -> str:
    """A model's name without maker, fine-tuning and variant: "us.anthropic.claude-opus-5-v1:0" -> "claude-opus-5-v1"."""
    name = model.strip().lower().rpartition("/")[2].removeprefix("ft:")
    return re.sub(r"^(?:[a-z-]+\.)+", "", re.split("[:@]", name)[0])


def _openai(name: str) -> OpenAICounter:
    fits = (row for row in OPENAI_FAMILIES if not row[0] or re.match(f"(?:{row[0]}){_NAME_ENDS}", name))
    _, tokenizer, opening, provenance = next(fits)
    return OpenAICounter(tokenizer, provenance, tokenizer, 3, opening)


def _claude(name: str) -> ClaudeCounter:
    """By version: "claude-3-5-sonnet", "claude-opus-4-7", "claude-fable-5". One without a version is taken for the newest."""
    found = _CLAUDE_VERSION.search(name)
    version = (int(found[1]), int(found[2] or 0)) if found else None
    family = "4.8" if version is None or version >= (4, 8) else "4.7" if version == (4, 7) else "3.0"
    per_message = CLAUDE_PER_MESSAGE[family]
    opening = claude.FRAME[family] - per_message
    if not claude.installed():
        label = f"o200k_base × {CLAUDE_PER_O200K}"
        return ClaudeCounter(label, "estimated", "o200k_base", per_message, opening, CLAUDE_PER_O200K)
    known: Provenance = "reconstructed" if version and (3, 0) <= version < (6, 0) else "assumed"
    return ClaudeCounter(f"ctok {family}", known, f"ctok {family}", per_message, opening)
