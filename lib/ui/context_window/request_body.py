"""A request as it was sent: its JSON, the same as curl and as Python, and the proof that it is the one that was sent.

No key is ever shown, only the name of the variable that would hold it.
"""

from __future__ import annotations

import json

import streamlit as st

from lib.providers.export import Address, as_curl, as_python
from lib.ui.format import numbers

SHOWN = 60_000
"""Characters of a body that are drawn; the download has all of it."""
JSON, CURL, PYTHON = "JSON", "curl", "Python"


def draw(address: Address, data: bytes, sha256: str, recorded: str | None, key: str, *, sent: bool = True) -> None:
    """The request. `recorded` is the SHA-256 that the turn recorded, if there is one; `sent` if any server read it."""
    panel = st.expander("The request itself", icon=":material/data_object:", key=f"{key}:request", on_change="rerun")
    if not panel.open:
        return
    with panel:
        st.caption(
            f"{numbers.plural(len(data), 'byte')} of JSON to {address.url} · SHA-256 `{sha256}`"
            + (f": the one recorded{' when it was sent' if sent else ''}." if recorded == sha256 else "")
        )
        form = st.segmented_control(
            "As", [JSON, CURL, PYTHON], default=JSON, required=True, key=f"{key}:form", label_visibility="collapsed"
        )
        text = data.decode()
        if form == JSON:
            _code(json.dumps(json.loads(text), ensure_ascii=False, indent=2), "json")
        elif form == CURL:
            _code(as_curl(address, text), "bash")
        else:
            _code(as_python(address, text), "python")
        if form != JSON:
            st.caption(f"It sends exactly these bytes. The key is read from `{address.key_variable}`. {address.note}")
        st.download_button(
            "The exact bytes",
            data,
            "request.json",
            "application/json",
            icon=":material/download:",
            key=f"{key}:bytes",
            type="tertiary",
            on_click="ignore",
        )


def proof(matches: bool | None, recorded: str | None, *, sent: bool = True) -> None:
    """Whether the request rebuilt from the stored history is the recorded one: the one that was sent, if it was."""
    if matches:
        which = "what was sent" if sent else "the recorded one"
        st.caption(
            f":material/verified: The request rebuilt from the stored history matches {which} "
            f"(SHA-256 `{(recorded or '')[:16]}…`)."
        )
    elif matches is False:
        st.warning(
            "The request cannot be rebuilt exactly: the stored history or the provider's settings have changed since"
            " this turn.",
            icon=":material/history:",
        )


def _code(text: str, language: str) -> None:
    """A code block with a copy button. Only the beginning of a very long text is drawn."""
    if len(text) > SHOWN:
        st.caption(f"The first {SHOWN:,} of {len(text):,} characters are shown; the download has all of it.")
    st.code(text[:SHOWN], language=language, wrap_lines=True, height=420)
