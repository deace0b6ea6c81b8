"""Reads the cookie that Streamlit's login sets, for requests that do not come from a page.

On a page, `st.user` has the same claims. Streamlit has no public function for routes; these are the ones that it reads
the cookie with itself, so that its secret, its lifetime and its splitting of long cookies are the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
from starlette.requests import Request
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

NAME = "_streamlit_user"


def claims(request: Request) -> Mapping[str, Any]:
    """What the login provider says of the person; empty if the request brings no valid login of this server."""

    def one(name: str) -> bytes | None:
        value = request.cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    try:
        stored = json.loads(get_cookie_with_chunks(one, NAME) or b"{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}


def path() -> str:
    """The path that cookies of this app are for."""
    return "/" + str(st.get_option("server.baseUrlPath") or "").strip("/")
