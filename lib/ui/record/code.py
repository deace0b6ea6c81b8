"""The lines of code to change, for the vendors' SDKs and for curl."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from lib.api.guards import TOKEN_HEADER
from lib.ui.shell import services

OPENAI, ANTHROPIC, CURL = "OpenAI SDK", "Anthropic SDK", "curl"


def draw() -> None:
    """The address, and two lines for each way."""
    origin = address()
    st.subheader("The line to change", anchor=False)
    needs_token = services.settings().api_token is not None
    for tab, (text, language) in zip(
        st.tabs([OPENAI, ANTHROPIC, CURL]), _texts(origin, needs_token=needs_token), strict=True
    ):
        tab.code(text, language=language, wrap_lines=True)
    st.caption(
        "Two headers are for Windowseat and are not passed on: `X-Windowseat-Endpoint` names the provider for one"
        " request, and `X-Windowseat-Session` the chat that it belongs to. Without the second, a request belongs to the"
        " chat whose replies it sends back."
    )


def address() -> str:
    """The app's own address, as this browser sees it."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"http://127.0.0.1:{st.get_option('server.port')}"


def _texts(origin: str, *, needs_token: bool) -> list[tuple[str, str]]:
    """The code of each tab, with its language. A token is named by its variable, never shown."""
    header = TOKEN_HEADER.title()
    more = f'\n    default_headers={{"{header}": os.environ["WINDOWSEAT_API_TOKEN"]}},' if needs_token else ""
    curl = f' \\\n  -H "{header}: $WINDOWSEAT_API_TOKEN"' if needs_token else ""
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
