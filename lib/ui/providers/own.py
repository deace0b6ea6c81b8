"""The endpoints that a browser session offers: the configured ones, those found on this machine, and its own."""

from __future__ import annotations

from collections.abc import Mapping

from lib.errors import ChatError
from lib.settings import Endpoint
from lib.settings.known_servers import KnownServer, added_endpoint, key_in_environment, refuse_unless_vendor, usable_url
from lib.ui.format.text import as_option
from lib.ui.providers import added, state
from lib.ui.shell import services, session


def offered() -> dict[str, Endpoint]:
    """The endpoints to choose from on a page, by name. Does not wait."""
    kept = added.endpoints()
    mine = {name: kept[name] for name in state.added() if name in kept}
    return {**services.offered_endpoints(), **mine}


def label(endpoints: Mapping[str, Endpoint], name: str) -> str:
    """What a menu calls an endpoint. Example: "Ollama, found on this machine"."""
    if name in services.settings().local_servers:
        return as_option(f"{services.endpoint(name).label.removesuffix(' on this machine')}, found on this machine")
    return as_option(endpoints[name].label) if name in endpoints else f"{as_option(name)} (not available)"


def add(server: KnownServer, url: str, model: str, window: int, key: str, variable: str) -> Endpoint:
    """Add an endpoint to this browser session, with a typed key or the name of an environment variable that has one.

    Raises ChatError, which says why it cannot be added; then nothing is.
    """
    asking = services.asking()
    url = usable_url(url)
    if not asking.sees_all:
        refuse_unless_vendor(url)
        if variable:
            raise ChatError(
                "Keys from the environment are for the person who runs the app.",
                safe="Nothing was added or sent.",
                next_step="Type your own key.",
            )
    from_environment = key_in_environment(variable) if variable else None
    existing = None if variable else _existing(server.kind, url)
    endpoint = existing or added_endpoint(
        server,
        url,
        model=model,
        window=window,
        key=from_environment,
        whose=f"{'' if asking.mode == 'one' else asking.id}{variable}",
        taken={*services.settings().endpoints, *services.settings().local_servers},
    )
    if existing is None:
        added.add(endpoint, asking.id)
        state.add(endpoint.name)
    if key.strip():
        session.set_widget(session.typed_key_field(endpoint.name), key.strip())
    return endpoint


def remove(name: str) -> None:
    """Offer an endpoint no more in this browser session, and forget its typed key. For callbacks."""
    session.set_widget(session.typed_key_field(name), "")
    state.remove(name)


def _existing(kind: str, url: str) -> Endpoint | None:
    """The endpoint with the same address that everybody has; its key comes from where it is configured, or is typed."""
    usual = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
    for endpoint in services.offered_endpoints().values():
        address = (endpoint.base_url or usual.get(endpoint.kind, "")).rstrip("/")
        if endpoint.kind == kind and address == url:
            return endpoint
    return None
