"""Chat Completions: OpenAI, and every server that speaks its protocol (Ollama, vLLM, llama.cpp, gateways).

The rule: `body` is the whole request, byte for byte what goes out, and the SDK only carries it. Usage is taken as the server
reports it; what it does not report is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lib.errors import MissingKey, WrongKey
from lib.messages import Usage, utf8_safe
from lib.providers import ChatRequest, Reply, SentBody, TextDelta, body_bytes
from lib.providers.export import Address
from lib.providers.llama.counter import counter_at
from lib.providers.sdk_errors import model_names, translated, unfinished
from lib.providers.wire_format import response_items, wire_message
from lib.request_rules import RuleProvider
from lib.settings import Endpoint
from lib.tokens import TokenCounter

if TYPE_CHECKING:
    import httpx2
    from openai import OpenAI

OPENAI = "https://api.openai.com/v1"
CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0
"""A small machine may take minutes before the first word of a long request."""
PROBE_SECONDS = 5.0
"""For finding out what a server is, which delays whoever waits for a count."""
NOT_THERE = (404, 405, 501)
"""What servers answer at addresses they do not have."""
STOP_REASONS = {"stop": "end", "length": "length", "content_filter": "refused"}


class OpenAIProvider:
    """A Provider for one endpoint and one key. `extra_body` is added to every request."""

    def __init__(self, endpoint: Endpoint, key: str | None, extra_body: Mapping[str, Any] | None = None) -> None:
        self.name = endpoint.name
        self._endpoint = endpoint
        self._key = key
        self._extra_body = dict(extra_body or {})

    @property
    def rules(self) -> RuleProvider | None:
        """OpenAI's own; other servers of its protocol differ."""
        return "openai" if is_openai(self._endpoint.base_url) else None

    def prepare(self, request: ChatRequest) -> SentBody:
        """The request as the bytes that go out."""
        # OpenAI's own models refuse max_tokens, other servers do not know max_completion_tokens
        limit = "max_completion_tokens" if is_openai(self._endpoint.base_url) else "max_tokens"
        body = {
            "model": utf8_safe(request.model),
            "messages": [wire_message(message) for message in request.messages],
            limit: request.max_output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._extra_body,
        }
        return SentBody.of(request, body)

    def address(self) -> Address:
        """Where it goes."""
        url = (self._endpoint.base_url or OPENAI).rstrip("/")
        return Address(f"{url}/chat/completions", "Authorization: Bearer ", "OPENAI_API_KEY")

    def stream(self, sent: SentBody) -> Iterator[TextDelta | Reply]:
        """Send the bytes; yield text as it arrives, then one Reply."""
        with translated(self._endpoint.label, self._key):
            client = self._client()
            from openai import Stream
            from openai.types.chat import ChatCompletion, ChatCompletionChunk

            pieces: list[str] = []
            end: dict[str, Any] = {}
            # Both SDKs document `client.post` for requests they have no method for. Given `content` instead of `body`,
            # it serialises nothing and sends these bytes as they are, on a retry or redirect too; it still adds the key,
            # parses the stream into the SDK's own types and raises the SDK's own errors.
            with client.post(
                "/chat/completions",
                cast_to=ChatCompletion,
                content=sent.data,
                options={"headers": {"Content-Type": "application/json"}},
                stream=True,
                stream_cls=Stream[ChatCompletionChunk],
            ) as chunks:
                request_id = chunks.response.headers.get("x-request-id")
                for chunk in chunks:
                    if text := _note(chunk, end):
                        pieces.append(text)
                        yield TextDelta(text)
            if not end.get("finished"):
                raise unfinished(self._endpoint.label, begun=bool(end))
        yield Reply(
            "".join(pieces),
            end.get("usage", Usage()),
            end.get("model") or sent.request.model,
            "refused" if end.get("refused") else end.get("stop_reason"),
            request_id or end.get("id"),
        )

    def models(self) -> list[str]:
        """The names the server lists, sorted."""
        return sorted(model_names(self.ask("/models"), self._endpoint.label))

    def count(self, request: ChatRequest) -> int | None:
        """Tokens by the server's counting address: llama.cpp's, or the one of the Responses protocol, which OpenAI has."""
        if not is_openai(self._endpoint.base_url):
            counted = self._counted("/chat/completions/input_tokens", self.prepare(request).body)
            if counted is not None:
                return counted
        items = response_items(request.messages)
        return self._counted("/responses/input_tokens", {"model": utf8_safe(request.model), "input": items})

    def counter(self) -> TokenCounter | None:
        """The tokenizer and template of a llama.cpp server; None for OpenAI and other servers, which are asked once."""
        url = self._endpoint.base_url
        if url is None or is_openai(url):
            return None
        own = (self._key or None) == (self._endpoint.key or None)
        return counter_at(url, self.ask_root, self._endpoint.label, own=own)

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON answer of another address of this server: to a POST of `body`, else to a GET. Raises ProviderError."""
        with translated(self._endpoint.label, self._key):
            return self._answer(path, body, READ_SECONDS)

    def ask_root(self, path: str, body: Mapping[str, Any] | None) -> Any:
        """The same for an address beside /v1; None where the server has none, or answers with no JSON."""
        root = (self._endpoint.base_url or OPENAI).rstrip("/").removesuffix("/v1")
        return self._asked_if_there(f"{root}{path}", body)

    def _counted(self, path: str, body: Mapping[str, Any]) -> int | None:
        said = self._asked_if_there(path, body)
        tokens = (
            said.get("input_tokens") if isinstance(said, Mapping) else None
        )  # some say {"error": ...} with status 200
        return tokens if isinstance(tokens, int) else None

    def _asked_if_there(self, path: str, body: Mapping[str, Any] | None) -> Any:
        usable_key(self._endpoint, self._key)  # without one the SDK need not be loaded
        with translated(self._endpoint.label, self._key):
            from openai import APIStatusError

            try:
                return self._answer(path, body, PROBE_SECONDS if body is None else READ_SECONDS)
            except APIStatusError as exc:
                if exc.status_code not in NOT_THERE or exc.code == "model_not_found":
                    raise
                return None
            except ValueError:  # no JSON, or not even UTF-8
                return None

    def _answer(self, path: str, body: Mapping[str, Any] | None, seconds: float) -> Any:
        """What the server says to a POST of the body, else to a GET, in so many seconds."""
        client = self._client()
        import httpx2

        options: Any = {"timeout": httpx2.Timeout(seconds, connect=CONNECT_SECONDS)}
        if body is None:
            return client.get(path, cast_to=httpx2.Response, options=options).json()
        options["headers"] = {"Content-Type": "application/json"}
        return client.post(path, cast_to=httpx2.Response, content=body_bytes(body), options=options).json()

    def _client(self) -> OpenAI:
        key = usable_key(self._endpoint, self._key)
        import openai

        url = self._endpoint.base_url or OPENAI
        # the person decides about retries; one behind their back may pay twice
        return openai.OpenAI(api_key=key, base_url=url, http_client=shared_client(url), max_retries=0)


def usable_key(endpoint: Endpoint, key: str | None) -> str:
    """The key as a header can carry it; servers that want none get a word. Raises MissingKey or WrongKey."""
    key = (key or "").strip()
    if not key and endpoint.needs_key:
        raise MissingKey(f"No API key is known for {endpoint.label}.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise WrongKey(f"The key for {endpoint.label} holds characters that no key has. It was not sent.")
    return key or "not-needed"


def shared_client(url: str) -> httpx2.Client:
    """The HTTP client for this address: shared, because making one costs 30 ms (it loads every certificate)."""
    host = urlsplit(url).hostname or ""
    return _carrier(through_proxy=not _is_here(host))


@cache
def _carrier(*, through_proxy: bool) -> httpx2.Client:
    import httpx2

    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    # A connection is kept for further requests only where making one costs something: llama.cpp at times hangs up after
    # a reply without saying so, and the next request on that connection would be lost.
    kept = 20 if through_proxy else 0
    limits = httpx2.Limits(
        max_connections=1000, max_keepalive_connections=kept
    )  # by default the 101st person would wait
    # trust_env is what reads HTTP_PROXY: a company's proxy cannot reach servers on this machine, and must not see them
    return httpx2.Client(timeout=timeout, limits=limits, follow_redirects=True, trust_env=through_proxy)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_openai(url: str | None) -> bool:
    """Whether OpenAI's own models answer at this base URL; None is the one the SDK knows."""
    return f".{urlsplit(url or OPENAI).hostname}".endswith((".openai.com", ".openai.azure.com"))


def usage_of(reported: Any) -> Usage:
    """OpenAI's usage: its prompt tokens include what was cached or written to the cache."""
    read, wrote = getattr(reported, "prompt_tokens_details", None), getattr(reported, "completion_tokens_details", None)
    return Usage(
        input_tokens=getattr(reported, "prompt_tokens", None),
        cached_tokens=getattr(read, "cached_tokens", None),
        cache_write_tokens=getattr(read, "cache_write_tokens", None),
        output_tokens=getattr(reported, "completion_tokens", None),
        reasoning_tokens=getattr(wrote, "reasoning_tokens", None),
    )


def _note(chunk: Any, end: dict[str, Any]) -> str:
    """Keep what a chunk says about the end; its text, refusals included."""
    end["id"], end["model"] = chunk.id or end.get("id"), chunk.model or end.get("model")
    if chunk.usage is not None:
        end["usage"] = usage_of(chunk.usage)
    if not chunk.choices:
        end["finished"] = end.get("finished") or chunk.usage is not None  # the closing chunk, where there is one
        return ""
    choice = chunk.choices[0]
    if choice.finish_reason:
        end |= {"stop_reason": STOP_REASONS.get(choice.finish_reason, choice.finish_reason), "finished": True}
    refusal = getattr(choice.delta, "refusal", None)  # some servers send choices without a delta
    if refusal:
        end["refused"] = True  # its finish_reason is "stop" all the same
    return (getattr(choice.delta, "content", None) or "") + (refusal or "")
