"""The lines of code to change, for the vendors' SDKs and for curl."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import streamlit as st

from lib.access.people import PERSON_HEADER
from lib.api.guards import TOKEN_HEADER
from lib.ui.people import login_cookie
from lib.ui.shell import services

PERSON = "WINDOWSEAT_PERSON"
"""The variable that the code takes the person's own token from."""
OPENAI, ANTHROPIC, CURL = "OpenAI SDK", "Anthropic SDK", "curl"


def draw() -> None:
    """The address, and two lines for each way."""
    origin = address()
    st.subheader("The line to change", anchor=False)
    headers = {TOKEN_HEADER: "WINDOWSEAT_API_TOKEN"} if services.settings().api_token is not None else {}
    token = services.people().token_of(services.asking())
    if token:
        headers[PERSON_HEADER] = PERSON
    for tab, (text, language) in zip(st.tabs([OPENAI, ANTHROPIC, CURL]), _texts(origin, headers), strict=True):
        tab.code(text, language=language, wrap_lines=True)
    if token:
        _show(token)
    st.caption(
        "Two headers are for Windowseat and are not passed on: `X-Windowseat-Endpoint` names the provider for one"
        " request, and `X-Windowseat-Session` the chat that it belongs to. Without the second, a request belongs to the"
        " chat whose replies it sends back."
    )


def address() -> str:
    """The app's own address, as this browser sees it, with the base path."""
    parts = urlsplit(st.context.url or "")
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"http://127.0.0.1:{st.get_option('server.port')}"
    return origin + login_cookie.path().rstrip("/")


def _show(token: str) -> None:
    """The person's own token, on request. It lets programs begin chats in their name, and read them."""
    panel = st.popover(f"Your {PERSON}", icon=":material/badge:", key="person_token", on_change="rerun")
    if panel.open:
        panel.caption("What is sent with it becomes yours, and nobody else sees it. Treat it like a password.")
        panel.code(token, language=None, wrap_lines=True)


def _texts(origin: str, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """The code of each tab, with its language. `headers` are variables by header: a token is never shown."""
    pairs = ", ".join(f'"{header.title()}": os.environ["{variable}"]' for header, variable in headers.items())
    more = f"\n    default_headers={{{pairs}}}," if headers else ""
    curl = "".join(f' \\\n  -H "{header.title()}: ${variable}"' for header, variable in headers.items())
    body = '{"model": "gpt-6-luna", "messages": [{"role": "user", "content": "Hello"}]}'
    return [
        (f'client = OpenAI(\n    base_url="{origin}/v1",  # the line to add{more}\n)', "python"),
        (f'client = Anthropic(\n    base_url="{origin}",  # the line to add{more}\n)', "python"),
        (
            f"curl {origin}/v1/chat/completions \\\n  -H 'Content-Type: application/json' \\\n"
            f"  -H \"Authorization: Bearer $OPENAI_API_KEY\"{curl} \\\n  -d '{body}'",
            "bash",
        ),
    ]
