"""Joins the HTTP routes to the app: the same conversations as the pages have, and this installation's settings.

Nothing is opened when the routes are made, so that the first page does not wait for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import BaseRoute

from lib import api
from lib.access import Person
from lib.access.middleware import SetVisitorCookie
from lib.access.people import PERSON_HEADER
from lib.access.visitor_cookie import VisitorCookie
from lib.api import record
from lib.api.access import ByPerson
from lib.api.guards import Guard
from lib.api.middleware.as_sent import AsSent
from lib.api.middleware.base_path import BasePath
from lib.api.middleware.own_host import OwnHost
from lib.api.middleware.security_headers import SecurityHeaders
from lib.chat.service import ChatService
from lib.chat_settings import ChatSettings
from lib.errors import InvalidSettings
from lib.providers import Provider
from lib.providers.llama.process import ChildAddress
from lib.recorder.recorder import Recorder
from lib.settings import Endpoint
from lib.ui.people import login_cookie
from lib.ui.providers import added
from lib.ui.shell import services, session_settings


class AppConversations:
    """The conversations of the pages. Nothing here reads a browser session, so keys are the configured ones."""

    def chat(self) -> ChatService:
        """The service that the pages share. It belongs to nobody: lib/api/access.py puts a gate before it."""
        return services.everyones_chat()

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The providers that the chat settings offer."""
        return services.offered_endpoints()

    def settings(self, stored: Mapping[str, Any], provider: str | None = None) -> ChatSettings:
        """A chat's stored settings, completed, with another provider where one is named."""
        settings = session_settings.completed(stored)
        if provider is None or provider == settings.provider:
            return settings
        other = session_settings.defaults(provider)
        return replace(
            settings,
            provider=other.provider,
            model=other.model,
            max_tokens=other.max_tokens,
            reserved_for_reply=other.reserved_for_reply,
        )

    def open_provider(self, settings: ChatSettings) -> Provider:
        """The provider for these settings, with the configured key. Where there are several people, what one of them
        added on a page is not for programs."""
        added.refuse_others(settings.provider, "")
        return services.provider_of(settings, services.endpoint(settings.provider).key)


class AppRecorder:
    """The recorder of the pages, and the endpoints that they offer."""

    def recorder(self) -> Recorder:
        """The recorder of this process."""
        return services.recorder()

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The providers that the chat settings offer."""
        return services.offered_endpoints()

    def local_address(self) -> ChildAddress:
        """Where the model on this machine listens."""
        return services.local_model().ensure()


def _hosts() -> Sequence[str]:
    """The names that the server answers to besides those of this machine."""
    hosts: Sequence[str] = st.get_option("server.allowedHosts") or ()
    return hosts


def person_of(request: Request) -> Person:
    """Who sent a request that has passed the guards. Raises InvalidSettings."""
    people = services.people()
    claims = login_cookie.claims(request) if people.mode == "accounts" else {}
    return people.of_request(request.cookies, claims, request.headers.get(PERSON_HEADER, ""))


def _cookie() -> VisitorCookie | None:
    """The visitors' cookie; None where there are no visitors, or the settings cannot be used."""
    try:
        return services.people().cookie
    except InvalidSettings:  # the page says so
        return None


GUARD = Guard(lambda: services.settings().api_token, lambda: st.get_option("server.address"), _hosts)


def routes() -> list[BaseRoute]:
    """The HTTP routes, for st.App."""
    access = ByPerson(services.everyones_chat, person_of)
    return [*api.routes(AppConversations(), GUARD, access), *record.routes(AppRecorder(), GUARD, access)]


def middleware() -> list[Middleware]:
    """What every request and response of the app passes through, for st.App."""
    cookie = Middleware(SetVisitorCookie, _cookie, login_cookie.path)
    own_host = Middleware(OwnHost, GUARD.check_host)
    base_path = Middleware(BasePath, login_cookie.path)
    return [Middleware(SecurityHeaders), own_host, base_path, Middleware(AsSent), cookie]
