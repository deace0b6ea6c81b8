"""Asks a llama.cpp server to render and tokenize messages.

Every answer is checked, because other servers have the same addresses and answer something else there. The provider
passes in `ask`, which sends the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lib.errors import InvalidRequest, ProviderUnavailable
from lib.providers.sdk_errors import not_an_answer

Ask = Callable[[str, Mapping[str, Any] | None], Any]
"""Asks a server: (address below its root, body of a POST or None for a GET) -> the JSON answer.

None if the server does not have the address or does not answer with JSON. Raises ProviderError.
"""
WireMessage = Mapping[str, Any]
"""A message as it is sent: role, content and the other fields that the protocol knows."""

SEPARATOR = -1
"""A token that no vocabulary has. llama.cpp tokenizes each text of a list on its own, and returns tokens unchanged."""
BATCH_CHARACTERS = 400_000
"""Characters in one request to the tokenizer, which takes about a quarter of a second."""


class LlamaServer:
    """The rendering and tokenizing addresses of a llama.cpp server. `label` is the server's name on pages."""

    def __init__(self, ask: Ask, label: str) -> None:
        self._ask = ask
        self._label = label

    def props(self) -> Mapping[str, Any] | None:
        """The server's properties; None if it is not a llama.cpp server with one model."""
        props = self._ask("/props", None)
        return props if isinstance(props, Mapping) and "chat_template" in props and "model_path" in props else None

    def can_render_and_tokenize(self) -> bool:
        """Whether it has both addresses. Asks with a conversation that every template accepts."""
        rendered = self._ask("/apply-template", {"messages": [{"role": "user", "content": "a"}]})
        has_prompt = isinstance(rendered, Mapping) and "prompt" in rendered
        return has_prompt and self._ask("/tokenize", _tokenize_body("a")) is not None

    def render(self, messages: Sequence[WireMessage], *, with_reply_start: bool = True) -> str:
        """The prompt of a conversation, by default ending with the start of a reply."""
        body = {"messages": list(messages), "add_generation_prompt": with_reply_start}
        return str(self._field("/apply-template", body, "prompt", str))

    def render_if_accepted(self, messages: Sequence[WireMessage], *, with_reply_start: bool = True) -> str | None:
        """The same; None if the server or its template refuses the conversation."""
        try:
            return self.render(messages, with_reply_start=with_reply_start)
        except (InvalidRequest, ValueError):  # ValueError: a number that JSON does not have
            return None
        except ProviderUnavailable:
            if not self.can_render_and_tokenize():
                raise
            return None  # some servers refuse with the status 500

    def tokens(self, text: str | Sequence[str | int], *, whole_prompt: bool = False, special: bool = True) -> list[int]:
        """The tokens of a text, or of a list of texts and tokens.

        A `whole_prompt` gets the tokens that the model needs at the very beginning; `special` reads control tokens
        that are written in the text.
        """
        tokens: list[int] = self._field("/tokenize", _tokenize_body(text, whole_prompt, special), "tokens", list)
        return tokens

    def count_request(self, messages: Sequence[WireMessage]) -> int | None:
        """Tokens of a whole request by the server's counting address; None for older servers, which have none."""
        answer = self._ask("/v1/chat/completions/input_tokens", {"messages": list(messages)})
        tokens = answer.get("input_tokens") if isinstance(answer, Mapping) else None
        return tokens if isinstance(tokens, int) else None

    def count_texts(self, texts: Sequence[str], *, in_batches: bool) -> list[int]:
        """Tokens of each text, with few requests if the server can tokenize `in_batches`."""
        if not in_batches:
            return [len(self.tokens(text)) for text in texts]
        counts: list[int] = []
        for batch in _batches(texts):
            tokens = self.tokens([item for text in batch for item in (text, SEPARATOR)])
            start = 0
            for _ in batch:
                end = _next_separator(tokens, start)
                if end is None:
                    raise not_an_answer(self._label)
                counts.append(end - start)
                start = end + 1
        return counts

    def _field(self, path: str, body: Mapping[str, Any], name: str, kind: type) -> Any:
        answer = self._ask(path, body)
        if not isinstance(answer, Mapping) or not isinstance(answer.get(name), kind):
            raise not_an_answer(self._label)
        return answer[name]


def _tokenize_body(
    content: str | Sequence[str | int], whole_prompt: bool = False, special: bool = True
) -> dict[str, Any]:
    return {"content": content, "add_special": whole_prompt, "parse_special": special}


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


def _next_separator(tokens: Sequence[int], start: int) -> int | None:
    try:
        return tokens.index(SEPARATOR, start)
    except ValueError:
        return None
