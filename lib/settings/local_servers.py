"""Which servers of people's own machines are looked for: those of WINDOWSEAT_LOCAL_SERVERS, or the usual ones."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from lib.errors import InvalidSettings
from lib.settings import Endpoint

LOCAL_SERVERS = {
    "http://127.0.0.1:11434/v1": ("ollama", "Ollama"),
    "http://127.0.0.1:1234/v1": ("lm-studio", "LM Studio"),
    "http://127.0.0.1:8080/v1": ("llama.cpp", "llama.cpp"),
    "http://127.0.0.1:8000/v1": ("vllm", "vLLM"),
}
"""Name and label of the servers that people run on their own machine, by the address each has by default."""


def local_servers(value: str, endpoints: Mapping[str, Endpoint]) -> dict[str, Endpoint]:
    """The servers to look for on this machine, without those that are endpoints already."""
    urls = () if value == "none" else value.split(",") if value else LOCAL_SERVERS
    known = {_address(endpoint.base_url) for endpoint in endpoints.values() if endpoint.base_url}
    servers = {}
    for url in map(str.strip, urls):
        address = _address(url)
        if address is None:
            raise InvalidSettings(
                f"WINDOWSEAT_LOCAL_SERVERS holds {url!r}, but must be 'none', or addresses of this machine such as"
                " http://127.0.0.1:11434/v1, separated by commas. A server elsewhere needs an [endpoints.NAME] table in"
                " secrets.toml."
            )
        name, label = LOCAL_SERVERS.get(url, (f"port-{address}", f"Port {address}"))
        if address not in known and name not in endpoints:
            # the window is what Ollama and LM Studio give a model unless told otherwise; they drop what is more
            servers[name] = Endpoint(name, "openai", f"{label} on this machine", url, window=4096)
    return servers


def _address(url: str | None) -> int | None:
    """The port of an http:// address on this machine; None for other addresses."""
    try:
        parts = urlsplit(url or "")
        port = parts.port
    except ValueError:
        return None
    return port if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1") else None
