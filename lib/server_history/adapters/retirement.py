"""Knows the hosts where the Assistants API was switched off, so that nothing is sent to them."""

from __future__ import annotations

from urllib.parse import urlsplit

from lib.errors import Retired

RETIRED_ON = "2026-08-26"
RETIRED_HOSTS = (".openai.com", ".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")


def retirement(base_url: str | None) -> Retired | None:
    """The error to show if this base URL no longer has the API, else None. None as base URL is OpenAI itself."""
    host = urlsplit(base_url).hostname if base_url else "api.openai.com"
    return _retirement_of_host(host or "")


def refuse_retired(host: str) -> None:
    """Raises Retired if this host no longer has the API."""
    if (retired := _retirement_of_host(host)) is not None:
        raise retired


def _retirement_of_host(host: str) -> Retired | None:
    if not f".{host.lower().rstrip('.')}".endswith(RETIRED_HOSTS):
        return None
    return Retired(
        f"The Assistants API was switched off on {RETIRED_ON} by OpenAI and Azure; {host} no longer has threads.",
        next_step="Use Conversations, their successor. Threads still work with other servers that support them.",
    )
