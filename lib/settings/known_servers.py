"""The servers that a person can add by name, with their usual address, and the rules for what may be added.

Addresses are those that the vendors document (November 2026). What is added belongs to a browser session; what
everybody should see is configured in the environment or in secrets.toml.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lib.errors import ChatError
from lib.settings import Endpoint

LONGEST_URL = 500
"""Characters."""
AZURE_RESOURCE = "YOUR-RESOURCE-NAME"
"""What stands for the name of a person's own resource in Azure's address."""
KEY_VARIABLE = re.compile(r"(?!WINDOWSEAT_)[A-Z][A-Z0-9_]*_(API_)?(KEY|TOKEN)")
"""Names of environment variables that a key is taken from. Others may hold passwords, and are not read; nor is the
token of this app, which is for no other server."""
NOTHING = "Nothing was added or sent."


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A kind of server. `window` is what new chats begin with, in tokens."""

    name: str
    label: str
    base_url: str
    kind: Literal["openai", "anthropic"] = "openai"
    key_variable: str = ""
    """The environment variable that its users keep their key in; empty if it needs no key."""
    window: int = 8192
    note: str = ""
    """What to know before adding it, as a sentence for people."""


KNOWN_SERVERS = {
    server.name: server
    for server in (
        KnownServer("openai", "OpenAI", "https://api.openai.com/v1", key_variable="OPENAI_API_KEY", window=128_000),
        KnownServer(
            "anthropic",
            "Anthropic",
            "https://api.anthropic.com",
            "anthropic",
            key_variable="ANTHROPIC_API_KEY",
            window=128_000,
        ),
        KnownServer(
            "azure",
            "Azure OpenAI",
            f"https://{AZURE_RESOURCE}.openai.azure.com/openai/v1",
            key_variable="AZURE_OPENAI_API_KEY",
            note=f"Put the name of your resource in place of {AZURE_RESOURCE}. The model is your deployment's name.",
        ),
        KnownServer("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", key_variable="OPENROUTER_API_KEY"),
        KnownServer(
            "gemini",
            "Gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            key_variable="GEMINI_API_KEY",
            note="Its address for OpenAI's protocol.",
        ),
        KnownServer("mistral", "Mistral", "https://api.mistral.ai/v1", key_variable="MISTRAL_API_KEY"),
        KnownServer(
            "ollama",
            "Ollama",
            "http://127.0.0.1:11434/v1",
            window=4096,
            note="It drops what its context does not hold without a word. OLLAMA_CONTEXT_LENGTH makes that larger.",
        ),
        KnownServer("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", window=4096),
        KnownServer("llama.cpp", "llama.cpp", "http://127.0.0.1:8080/v1"),
        KnownServer("vllm", "vLLM", "http://127.0.0.1:8000/v1"),
    )
}
OTHER = KnownServer("other", "Another server", "", note="Any server that speaks OpenAI's or Anthropic's protocol.")


def added_endpoint(
    server: KnownServer,
    url: str,
    *,
    model: str = "",
    window: int = 0,
    key: str | None = None,
    whose: str = "",
    taken: Collection[str] = (),
) -> Endpoint:
    """The endpoint that a person adds. Raises ChatError for an address that cannot be used.

    Its name follows from the address, so that chats find it again when it is added another time. `whose` tells those of
    several people and keys apart, `key` is one from the environment, and `taken` are names that it must not have.
    """
    url = usable_url(url)
    usual = not whose and url == server.base_url and server.name not in taken
    digest = hashlib.sha256(f"{whose}|{server.kind}|{url}".encode()).hexdigest()[:8]
    size = window or server.window
    return Endpoint(
        name=server.name if usual else f"{server.name}-{digest}",
        kind=server.kind,
        label=server.label if url == server.base_url else f"{server.label} at {urlsplit(url).netloc}",
        base_url=url,
        model=model.strip(),
        key=key,
        needs_key=bool(server.key_variable),
        window=size,
        reserve=min(1024, size // 4),
    )


def added_before(name: str) -> Endpoint | None:
    """The endpoint of a chat that was stored before the app was started; None if the name is not that of an added one.

    With its usual address it is known by its name. Another address was never stored, so nothing can be sent to it: it
    must be added again, as its label says.
    """
    server = KNOWN_SERVERS.get(name)
    if server is not None and AZURE_RESOURCE not in server.base_url:
        return added_endpoint(server, server.base_url)
    beginning, _, digest = name.rpartition("-")
    if beginning not in {*KNOWN_SERVERS, OTHER.name} or not re.fullmatch(r"[0-9a-f]{8}", digest):
        return None
    label = f"“{name}”, which must be added again on the page Models and endpoints"
    return Endpoint(name, "openai", label, "https://not-known.invalid/v1", needs_key=True)


def usable_url(url: str) -> str:
    """The address without a slash at its end. Raises ChatError, which says what is wrong with it."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise ChatError(
            "This is no address of a server.",
            safe=NOTHING,
            next_step="It begins with http:// or https://, and for OpenAI's protocol it usually ends in /v1.",
        )
    if AZURE_RESOURCE in url:
        raise ChatError(
            f"The address still holds {AZURE_RESOURCE}.", safe=NOTHING, next_step="Put the name of your resource there."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ChatError(
            "The address holds more than an address, perhaps a key.",
            safe=NOTHING,
            next_step="Take out what stands before @, and what follows ? or #. A key has a field of its own.",
        )
    return url


def refuse_unless_vendor(url: str) -> None:
    """Raise ChatError for an address that is not a vendor's.

    For people who are not the one who runs the app: the app's machine can reach servers that they must not reach.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    vendors = {urlsplit(server.base_url).hostname for server in KNOWN_SERVERS.values() if server.key_variable}
    is_vendor = host in vendors or re.fullmatch(r"[a-z0-9-]+\.openai\.azure\.com", host) is not None
    if is_vendor and parts.scheme == "https" and parts.port in (None, 443):
        return
    raise ChatError(
        "Only the vendors' own addresses can be added here, because several people use this app.",
        safe=NOTHING,
        next_step="Whoever runs the app can add a server with an [endpoints.NAME] table in secrets.toml.",
    )


def key_in_environment(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """The key in this environment variable. Raises ChatError if there is none, or if it is no variable for keys."""
    if not KEY_VARIABLE.fullmatch(variable):
        raise ChatError(
            "This is no name of an environment variable for a key.",
            safe=NOTHING,
            next_step="Such names end in _KEY or _TOKEN, for example OPENROUTER_API_KEY.",
        )
    key = environment.get(variable, "").strip()
    if not key:
        raise ChatError(
            f"{variable} is not set where the app was started.",
            safe=NOTHING,
            next_step="Set it and start the app again, or type the key instead.",
        )
    return key
