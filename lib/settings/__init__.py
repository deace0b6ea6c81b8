"""Reads the environment and .streamlit/secrets.toml into one frozen Settings.

Every setting is listed here with its default. The environment overrides secrets.toml, and an unusable value is refused
with its name. Keys never appear in a repr. Keys typed on a page are not here: they belong to one browser session.

    REDIS_URL                  redis://, rediss:// or unix:// URL of the history store; if unset, a server is started
    WINDOWSEAT_REDIS_CLUSTER   1 if REDIS_URL names a node of a Redis Cluster
    WINDOWSEAT_STORE           "memory" keeps the history in this process only (for development)
    WINDOWSEAT_DATA_DIR        where the embedded server keeps its data (default .data)
    WINDOWSEAT_SESSION_TTL     seconds until a session expires after its last write (default 86400)
    WINDOWSEAT_READ_PREFIXES   prefixes of other services' keys that hold JSON arrays, e.g. conv,app:history
    WINDOWSEAT_LOCAL_MODEL     a GGUF file to use instead of the packaged SmolLM2-135M
    WINDOWSEAT_PROVIDER        the endpoint new chats start with; if unset, the first one that is configured
    WINDOWSEAT_LOCAL_SERVERS   "none", or the base URLs of servers on this machine that are offered while they answer
                               (default: those of Ollama, LM Studio, llama.cpp and vLLM)
    WINDOWSEAT_RECORD          1 records the requests that apps of one's own send to the app's port
    WINDOWSEAT_RECORD_TO       names of the endpoints that they go to, one for each protocol (default: this machine)
    WINDOWSEAT_SESSION_CAP     most USD that one chat may cost, and WINDOWSEAT_DAY_CAP one day (lib/settings/caps.py)
    WINDOWSEAT_PEOPLE          "one", "visitors" or "accounts": whose sessions are whose (lib/settings/people.py), with
    WINDOWSEAT_COOKIE_SECRET   and WINDOWSEAT_ADMINS
    WINDOWSEAT_LESSONS         a folder with lessons of one's own, shown beside those that ship with the app
    WINDOWSEAT_API_TOKEN       what requests to the HTTP routes must send (at least 16 characters)
    OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL
    ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL, ANTHROPIC_MODEL

secrets.toml may set the same names, and define any number of further endpoints:

    [endpoints.ollama]
    base_url = "http://127.0.0.1:11434/v1"
    model = "qwen3:8b"
    kind = "openai"            # or "anthropic"; openai is the default
    api_key = "..."            # if it needs one
    window = 8192              # tokens, for new sessions
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lib.errors import InvalidSettings
from lib.settings.caps import CapSettings, cap_settings
from lib.settings.paths import lessons_folder, local_model
from lib.settings.people import PeopleSettings, people_settings
from lib.settings.read_prefixes import read_prefixes

SESSION_TTL = 60 * 60 * 24
"""Seconds. The source document keeps sessions for 24 hours."""

YES = ("1", "true", "yes")
EXAMPLE = "example"
"""What turns have in place of an endpoint's name if their replies were written by hand. No endpoint may take it."""
SHORTEST_TOKEN = 16
"""Characters. A shorter token could be found by trying."""
EndpointKind = Literal["local", "openai", "anthropic"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that answers chat requests. `window` and `reserve` are a new session's defaults, in tokens."""

    name: str
    kind: EndpointKind
    label: str
    base_url: str | None = None
    model: str = ""
    key: str | None = field(default=None, repr=False)
    needs_key: bool = False
    window: int = 8192
    reserve: int = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this installation. `session_ttl` is in seconds."""

    store: Literal["redis", "embedded", "memory"]
    redis_url: str | None = field(repr=False)
    redis_cluster: bool
    data_dir: Path
    session_ttl: int
    local_model: Path | None
    endpoints: Mapping[str, Endpoint]
    local_servers: Mapping[str, Endpoint]
    """Servers that may be running on this machine. They have no model: lib/providers/local_servers.py asks them."""
    preferred: str = "local"
    """Name of the endpoint that new chats start with."""
    read_prefixes: tuple[str, ...] = ()
    api_token: str | None = field(default=None, repr=False)
    """What requests to the HTTP routes must send; None if no token is set."""
    record: bool = False
    """Whether requests of people's own apps are recorded from the start."""
    record_to: Mapping[str, str] = field(default_factory=dict)
    """Names of the endpoints that recorded requests go to, by kind. Without one: the model on this machine."""
    lessons: Path | None = None
    """A folder with lessons of one's own; None if there is none."""
    people: PeopleSettings = field(default_factory=PeopleSettings)
    caps: CapSettings = field(default_factory=CapSettings)


def load_settings(
    environment: Mapping[str, str] = os.environ, secrets: Path = Path(".streamlit/secrets.toml")
) -> Settings:
    """Read both sources. Raises InvalidSettings, which names the variable and what it may be."""
    from lib.settings.local_servers import local_servers  # here, because it needs the types above

    values = {**_secrets(secrets), **environment}
    url = _text(values, "REDIS_URL")
    store = _text(values, "WINDOWSEAT_STORE")
    if store not in ("", "memory"):
        raise InvalidSettings(f"WINDOWSEAT_STORE is {store!r}, but must be 'memory' or unset.")
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise InvalidSettings("REDIS_URL must start with redis://, rediss:// or unix://.")
    model = local_model(_text(values, "WINDOWSEAT_LOCAL_MODEL"))
    endpoints = {endpoint.name: endpoint for endpoint in _endpoints(values, model)}
    return Settings(
        store="memory" if store == "memory" else "redis" if url else "embedded",
        redis_url=url or None,
        redis_cluster=_text(values, "WINDOWSEAT_REDIS_CLUSTER") in YES,
        data_dir=Path(_text(values, "WINDOWSEAT_DATA_DIR") or ".data"),
        session_ttl=_positive_int(values, "WINDOWSEAT_SESSION_TTL", SESSION_TTL),
        local_model=model,
        endpoints=endpoints,
        preferred=_preferred(values, endpoints),
        read_prefixes=read_prefixes(_text(values, "WINDOWSEAT_READ_PREFIXES")),
        local_servers=local_servers(_text(values, "WINDOWSEAT_LOCAL_SERVERS"), endpoints),
        api_token=_api_token(_text(values, "WINDOWSEAT_API_TOKEN")),
        record=_text(values, "WINDOWSEAT_RECORD") in YES,
        record_to=_record_to(_text(values, "WINDOWSEAT_RECORD_TO"), endpoints),
        lessons=lessons_folder(_text(values, "WINDOWSEAT_LESSONS")),
        people=people_settings(values),
        caps=cap_settings(values),
    )


def _preferred(values: Mapping[str, Any], endpoints: Mapping[str, Endpoint]) -> str:
    """The endpoint for new chats: the one named, else the first that somebody configured, else the local model."""
    name = _text(values, "WINDOWSEAT_PROVIDER")
    if name and name not in endpoints:
        raise InvalidSettings(f"WINDOWSEAT_PROVIDER is {name!r}, but must be one of {', '.join(endpoints)}.")
    configured = (one.name for one in endpoints.values() if one.key or (one.base_url and one.model))
    return name or next(configured, "local")


def _record_to(value: str, endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """The endpoints for recorded requests by kind. "local" is the default and may be named too."""
    chosen: dict[str, str] = {}
    for name in filter(None, map(str.strip, value.split(","))):
        if name not in endpoints:
            raise InvalidSettings(f"WINDOWSEAT_RECORD_TO holds {name!r}, but must name some of {', '.join(endpoints)}.")
        chosen[endpoints[name].kind] = name
    return chosen


def _api_token(value: str) -> str | None:
    """The token for the HTTP routes. It is not part of the message if it cannot be used."""
    if value and not (len(value) >= SHORTEST_TOKEN and value.isascii() and value.isprintable() and " " not in value):
        raise InvalidSettings(
            f"WINDOWSEAT_API_TOKEN must have at least {SHORTEST_TOKEN} letters, digits and signs, without spaces."
        )
    return value or None


def model_name(path: Path) -> str:
    """The name of the model in a GGUF file. Example: "models/Qwen3-8B.Q4_K_M.gguf" -> "Qwen3-8B"."""
    return path.stem.split(".Q")[0]


def _secrets(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidSettings(f"{path} cannot be read as TOML: {exc}") from exc


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name, "")).strip()


def _positive_int(values: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number above 0, or the default if it is not set."""
    text = _text(values, name)
    if text and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise InvalidSettings(f"{name} is {text!r}, but must be a whole number above 0.")
    return int(text) if text else default


def _endpoints(values: Mapping[str, Any], local_model: Path | None) -> list[Endpoint]:
    # The default models are the cheapest ones that are not about to be switched off (November 2026).
    name = model_name(local_model) if local_model is not None else "SmolLM2-135M-Instruct"
    local = Endpoint("local", "local", "This machine", model=name, window=2048, reserve=256)
    vendors = [
        _vendor(values, "openai", "OpenAI", "gpt-6-luna"),
        _vendor(values, "anthropic", "Anthropic", "claude-haiku-5-5"),
    ]
    tables = values.get("endpoints") or {}
    if not isinstance(tables, Mapping):
        raise InvalidSettings("[endpoints] in secrets.toml must hold one table per endpoint.")
    return [local, *vendors, *(_further_endpoint(str(name), table) for name, table in tables.items())]


def _vendor(values: Mapping[str, Any], name: Literal["openai", "anthropic"], label: str, model: str) -> Endpoint:
    """A vendor's endpoint. The model is used unless another one is set."""
    url, chosen, key = (_text(values, f"{name.upper()}_{part}") for part in ("BASE_URL", "MODEL", "API_KEY"))
    return Endpoint(name, name, label, url or None, chosen or model, key or None, True, window=128_000, reserve=4096)


def _further_endpoint(name: str, table: Any) -> Endpoint:
    """The endpoint of one [endpoints.NAME] table in secrets.toml."""
    where = f"[endpoints.{name}] in secrets.toml"
    if name in ("local", "openai", "anthropic", EXAMPLE):
        raise InvalidSettings(f"{where}: this name is taken. Choose another one.")
    if not isinstance(table, Mapping) or not str(table.get("base_url", "")).startswith(("http://", "https://")):
        raise InvalidSettings(f"{where} needs a base_url that starts with http:// or https://.")
    kind = table.get("kind", "openai")
    if kind not in ("openai", "anthropic"):
        raise InvalidSettings(f"{where}: kind is {kind!r}, but must be 'openai' or 'anthropic'.")
    window = _positive_int(table, "window", 8192)
    return Endpoint(
        name=name,
        kind=kind,
        label=_text(table, "label") or name,
        base_url=_text(table, "base_url"),
        model=_text(table, "model"),
        key=_text(table, "api_key") or None,
        window=window,
        reserve=min(1024, window // 4),
    )
