"""The addresses of a llama.cpp server that render and tokenize.

The rule: every answer is checked, because other servers answer at the same addresses with something else.
It leaves out how the server is reached (an adapter hands in `ask`) and what the answers mean (lib/providers/llama/template.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lib.errors import InvalidRequest, ProviderUnavailable
from lib.providers.sdk_errors import not_an_answer

Ask = Callable[[str, Mapping[str, Any] | None], Any]
"""Asks a server: (address below its root, body of a POST or None for a GET) -> the JSON answer, or None where it has no
such address or gives no JSON. Raises ProviderError."""
Wired = Mapping[str, Any]
"""A message as it is sent."""

SEPARATOR = -1
"""A token that no vocabulary has. llama.cpp tokenizes the texts of a list one by one, and passes tokens among them on."""
BATCH_CHARACTERS = 400_000
"""Of one request to the tokenizer: about a quarter of a second."""


class LlamaServer:
    """A llama.cpp server's own words for rendering and tokenizing. `label` is how people call it."""

    def __init__(self, ask: Ask, label: str) -> None:
        self._ask = ask
        self._label = label

    def props(self) -> Mapping[str, Any] | None:
        """What it serves; None where this is no llama.cpp server with one model."""
        said = self._ask("/props", None)
        return said if isinstance(said, Mapping) and "chat_template" in said and "model_path" in said else None

    def speaks(self) -> bool:
        """Whether it has both addresses, and answers a conversation that every template takes."""
        rendered = self._ask("/apply-template", {"messages": [{"role": "user", "content": "a"}]})
        return isinstance(rendered, Mapping) and "prompt" in rendered and self._ask("/tokenize", _text("a")) is not None

    def render(self, messages: Sequence[Wired], *, opening: bool = True) -> str:
        """The prompt of a conversation; `opening` is whether it ends with the beginning of a reply."""
        body = {"messages": list(messages), "add_generation_prompt": opening}
        return str(self._field("/apply-template", body, "prompt", str))

    def tokens(self, text: str | Sequence[str | int], *, whole: bool = False, special: bool = True) -> list[int]:
        """The tokens of a text, or of several.

        A `whole` prompt gets what the model wants at its very beginning; `special` reads control tokens written in the text.
        """
        tokens: list[int] = self._field("/tokenize", _text(text, whole, special), "tokens", list)
        return tokens

    def taken(self, messages: Sequence[Wired], *, opening: bool = True) -> str | None:
        """The prompt; None where the server or its template refuses such a conversation."""
        try:
            return self.render(messages, opening=opening)
        except (InvalidRequest, ValueError):  # the latter is a number that JSON does not have
            return None
        except ProviderUnavailable:
            if not self.speaks():
                raise
            return None  # some refuse with the status 500

    def counted(self, messages: Sequence[Wired]) -> int | None:
        """Tokens of a whole request by its counting address; None on older servers, which have none."""
        said = self._ask("/v1/chat/completions/input_tokens", {"messages": list(messages)})
        tokens = said.get("input_tokens") if isinstance(said, Mapping) else None
        return tokens if isinstance(tokens, int) else None

    def sizes(self, texts: Sequence[str], *, batches: bool) -> list[int]:
        """Tokens of each text, in few requests."""
        if not batches:
            return [len(self.tokens(text)) for text in texts]
        found: list[int] = []
        for batch in _batches(texts):
            tokens = self.tokens([piece for text in batch for piece in (text, SEPARATOR)])
            start = 0
            for _ in batch:
                end = _index(tokens, start)
                if end is None:
                    raise not_an_answer(self._label)
                found.append(end - start)
                start = end + 1
        return found

    def _field(self, path: str, body: Wired, name: str, kind: type) -> Any:
        said = self._ask(path, body)
        if not isinstance(said, Mapping) or not isinstance(said.get(name), kind):
            raise not_an_answer(self._label)
        return said[name]


def _text(content: str | Sequence[str | int], whole: bool = False, special: bool = True) -> dict[str, Any]:
    return {"content": content, "add_special": whole, "parse_special": special}


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = BATCH_CHARACTERS
    for text in texts:
        if batch and len(text) > room:
            yield batch
            batch, room = [], BATCH_CHARACTERS
        batch.append(text)
        room -= len(text)
    if batch:
        yield batch


def _index(tokens: Sequence[int], start: int) -> int | None:
    try:
        return tokens.index(SEPARATOR, start)
    except ValueError:
        return None
