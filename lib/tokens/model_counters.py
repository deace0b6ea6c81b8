"""Counts a request with the tokenizer that its model uses, without a network.

The size of a request is the sum of its messages plus `template`, and every counter says how far it can be trusted. An
unknown model name is counted with the nearest tokenizer and labelled "assumed"; no name raises. A tokenizer is loaded
when the first message is counted, and each text is counted once (lib/tokens/cache.py).

What providers add on their side is not counted: tool descriptions, JSON schemas, hidden reasoning, searches, and how
they wrap tool calls. What of a message is text at all is decided in lib/tokens/counted.py. An image is estimated by its
vendor's formula; one without, and a file, count as NON_TEXT_PART tokens, which is a lower bound. Counting endpoints are
in lib/providers/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lib.messages import Message
from lib.tokens import Provenance, TokenCounter
from lib.tokens.cache import shared_cache
from lib.tokens.counted import NON_TEXT_PART, counted, texts_of
from lib.tokens.image_sizes import CLAUDE, CLAUDE_LARGE, ImageRule, image_tokens, openai_rule
from lib.tokens.vocabularies import claude

CLAUDE_PER_O200K = 1.35
"""How many tokens the newest Claude needs for one token of o200k_base: about right for English and code, up to 45 % too
low for other scripts."""

_OTHER_FAMILIES = re.compile(
    r"\b(?:llama|qwen|qwq|mi[sx]tral|ministral|codestral|deepseek|gemma|gemini|phi|glm|kimi|minimax|grok|command"
    r"|smollm)"
)
"""Models of other makers, which other servers offer through OpenAI's or Anthropic's API."""
_NAME_ENDS = r"(?![a-z0-9]|\.\d)"


@dataclass(frozen=True, slots=True)
class LocalCounter:
    """A TokenCounter that uses one of the TOKENIZERS of lib/tokens/vocabularies. The defaults are for models whose own
    tokenizer is not here.

    `per_message` is the tokens around each message, `opening` those around the whole request; four and three are about
    what the usual chat templates take. `factor` corrects for a vocabulary that only stands in for the model's own.
    `images` is how the model counts images.
    """

    name: str
    provenance: Provenance
    tokenizer: str
    per_message: int = 4
    opening: int = 3
    factor: float = 1.0
    images: ImageRule | None = None

    def count(self, message: Message) -> int:
        """Tokens of one message, including what the protocol adds around it and around each of its tool calls."""
        if isinstance(message.content, str) and not message.extra:
            return self._frame(message) + self._tokens(message.content)
        kept, images, others = counted(message)
        texts, calls = texts_of(kept)
        apart = others * NON_TEXT_PART + sum(image_tokens(self.images, image) or NON_TEXT_PART for image in images)
        return self._frame(message) + sum(map(self._tokens, texts)) + calls * self.per_message + apart

    def count_many(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message."""
        return [self.count(message) for message in messages]

    def template(self, has_system: bool) -> int:
        """Tokens of a request beyond its messages. No hosted model adds a system message, so `has_system` is unused."""
        return self.opening

    def _frame(self, message: Message) -> int:
        """Tokens around one message."""
        return self.per_message

    def _tokens(self, text: str) -> int:
        tokens = shared_cache(self.tokenizer)(text)
        return tokens if self.factor == 1 else math.ceil(self.factor * tokens)


class OpenAICounter(LocalCounter):
    """A message is 3 + its role + its content, and 1 + its name if it has one.

    The reply's opening is 3 tokens, or 2 for models that reason first. This equals `prompt_tokens` of every recorded
    request that is text only.
    """

    def _frame(self, message: Message) -> int:
        sender = message.extra.get("name")
        named = 1 + self._tokens(sender) if isinstance(sender, str) else 0
        return self.per_message + self._tokens(message.role) + named


class ClaudeCounter(LocalCounter):
    """A system message is its content, any other message its content + 3 (Claude 3 to 4.6) or + 2 (4.8 and later).

    Four more tokens for the whole request make a single user message equal to ctok's count. Fitted to recorded
    requests. For 4.7 no request with several messages is known; + 7 is assumed from its frame of 11. When a role
    repeats, the real count is 1 or 2 lower.
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
"""Start of a model's name, its vocabulary, the reply's opening in tokens, and the provenance: "counted" if recorded
requests agree or tiktoken itself names the vocabulary. The last row is for all others: o1, o4, gpt-oss, GPT-6."""
CLAUDE_PER_MESSAGE = {"3.0": 3, "4.7": 7, "4.8": 2}
"""Tokens around each message but the system's, by ctok's version."""
_CLAUDE_VERSION = re.compile(r"claude\D*?(?<!\d)(\d{1,2})(?!\d)(?:[-.](\d{1,2})(?!\d))?")


@lru_cache(maxsize=512)
def counter_for(kind: str, model: str) -> TokenCounter:
    """The counter for a model.

    `kind` is the API of the endpoint: "openai", "anthropic" or another word. A model name that says more decides. Names
    may include a maker, a date or a fine-tuning: "openai/gpt-4o-2024-08-06", "ft:gpt-4o:acme::1".
    Example: counter_for("openai", "gpt-5.6").template(has_system=True) -> 2
    """
    name = _bare_name(model)
    if "claude" in name or (kind == "anthropic" and not _OTHER_FAMILIES.search(name)):
        return _claude(name)
    openai = re.match(r"(?:chat)?gpt|o\d(?![a-z0-9.])|codex|computer-use", name)
    if openai or (kind == "openai" and not _OTHER_FAMILIES.search(name)):
        return _openai(name)
    return LocalCounter("o200k_base as a stand-in", "assumed", "o200k_base")


def _bare_name(model: str) -> str:
    """A model's name without its maker, fine-tuning and variant.

    Example: "us.anthropic.claude-opus-5-v1:0" -> "claude-opus-5-v1"
    """
    name = model.strip().lower().rpartition("/")[2].removeprefix("ft:")
    return re.sub(r"^(?:[a-z-]+\.)+", "", re.split("[:@]", name)[0])


def _openai(name: str) -> OpenAICounter:
    rows = (row for row in OPENAI_FAMILIES if not row[0] or re.match(f"(?:{row[0]}){_NAME_ENDS}", name))
    _, tokenizer, opening, provenance = next(rows)
    rule = openai_rule(name)
    return OpenAICounter(tokenizer, provenance, tokenizer, per_message=3, opening=opening, images=rule)


def _claude(name: str) -> ClaudeCounter:
    """By the version in the name, as in "claude-3-5-sonnet" or "claude-fable-5". Without one, as the newest model."""
    numbers = _CLAUDE_VERSION.search(name)
    version = (int(numbers[1]), int(numbers[2] or 0)) if numbers else None
    family = "4.8" if version is None or version >= (4, 8) else "4.7" if version == (4, 7) else "3.0"
    per_message = CLAUDE_PER_MESSAGE[family]
    opening = claude.FRAME[family] - per_message
    images = CLAUDE if version is not None and version < (4, 7) else CLAUDE_LARGE
    if not claude.installed():
        label = f"o200k_base × {CLAUDE_PER_O200K}"
        return ClaudeCounter(label, "estimated", "o200k_base", per_message, opening, CLAUDE_PER_O200K, images)
    provenance: Provenance = "reconstructed" if version and (3, 0) <= version < (6, 0) else "assumed"
    return ClaudeCounter(f"ctok {family}", provenance, f"ctok {family}", per_message, opening, images=images)
