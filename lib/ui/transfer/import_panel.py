"""Brings conversations in: a file or pasted text is read, its chats are listed, and the chosen ones become sessions.

Nothing is stored before the button is pressed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import streamlit as st

from lib.errors import ImportRefused
from lib.transfer import NAMES, Format, limits
from lib.transfer.importing import Outcome, store_rows
from lib.transfer.opened import Opened, open_file
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.shell import error_box
from lib.ui.shell.page import Page
from lib.ui.transfer import chat_list, import_result, state
from lib.ui.transfer.import_result import OpenChat

TYPES = ["json", "jsonl", "ndjson", "txt", "zip"]
PASTE_LENGTH = 1_000_000
"""Longest pasted text, in characters. A file may be larger."""
RECOGNISE = "Recognise it"
FILE, PASTE = "File", "Pasted text"


def draw(page: Page, owner: str, open_chat: OpenChat) -> None:
    """The whole panel. `owner` is the id of the person whose chats these become, `open_chat` opens one of them."""
    how = st.segmented_control("From", [FILE, PASTE], default=FILE, required=True, key="import_from")
    name, raw = _pasted() if how == PASTE else _uploaded()
    forced = _format()
    if raw is None:
        state.forget_opened()
        return
    found = _read(name, raw, forced)
    if isinstance(found, ImportRefused):
        error_box.show(found)
        return
    _describe(found)
    chat_list.draw(found)
    _import(page, found, owner, open_chat)


def _uploaded() -> tuple[str, bytes | None]:
    file = st.file_uploader(
        "Conversations",
        type=TYPES,
        key="import_file",
        max_upload_size=limits.MOST_BYTES // limits.MB,
        help=(
            "An export of ChatGPT, Claude, Open WebUI or LibreChat (also as its zip), a Windowseat capsule, messages of"
            " OpenAI or Anthropic as JSON or JSONL, or ShareGPT."
        ),
    )
    return (file.name, file.getvalue()) if file is not None else ("", None)


def _pasted() -> tuple[str, bytes | None]:
    text = st.text_area(
        "JSON or JSONL",
        key="import_paste",
        max_chars=PASTE_LENGTH,
        height=200,
        placeholder='[{"role": "user", "content": "Hello"}]',
    )
    return "pasted text", text.encode(errors="surrogatepass") if text.strip() else None


def _format() -> Format | None:
    options = [RECOGNISE, *NAMES]
    chosen = st.selectbox("Format", options, key="import_format", format_func=lambda each: dict(NAMES).get(each, each))
    return next((each for each in NAMES if each == chosen), None)


def _read(name: str, raw: bytes, forced: Format | None) -> Opened | ImportRefused:
    """What the file holds, read once."""
    source = (name, hashlib.sha256(raw).hexdigest(), forced)
    known = state.opened(source)
    if known is not None:
        return known
    found: Opened | ImportRefused
    bar = st.progress(0.0, "Reading the file…")
    try:
        found = open_file(name, raw, forced, _in_steps(bar.progress))
    except ImportRefused as refusal:
        found = refusal
    bar.empty()
    state.keep_opened(source, found)
    return found


def _in_steps(draw_at: Callable[[float], object]) -> Callable[[float], None]:
    """Draw progress a hundred times at most."""
    drawn = 0.0

    def step(done: float) -> None:
        nonlocal drawn
        if done >= drawn + 0.01:
            drawn = done
            draw_at(min(1.0, done))

    return step


def _describe(found: Opened) -> None:
    """What the file is, and a capsule's own words about itself."""
    refused = sum(bool(row.refusal) for row in found.rows)
    chats = numbers.plural(len(found.rows), "chat")
    without = f" {refused:,} of them cannot come in; the list says why." if refused else ""
    st.markdown(f"**{NAMES[found.format]} with {chats}.**{without}")
    if found.title or found.note:
        with st.container(border=True):
            st.markdown(f"**{as_label(found.title, 200) or 'Class pack'}**")
            st.markdown(as_markdown(found.note))
    if found.changed:
        st.warning(
            f"{found.changed} The chats that can be chosen are the ones that were exported, byte for byte.",
            icon=":material/history_edu:",
        )


def _import(page: Page, found: Opened, owner: str, open_chat: OpenChat) -> None:
    rows = [row for row in found.rows if row.number in state.chosen() and not row.refusal]
    copies = st.checkbox(
        "Make copies of chats that were imported from this file before",
        key="import_copies",
        help="Without it, a chat that is here already stays as it is, with what was added to it since.",
    )
    pressed = st.button(
        f"Import {numbers.plural(len(rows), 'chat')}",
        type="primary",
        icon=":material/download:",
        key="import_button",
        disabled=not rows or page.chat is None,
    )
    if pressed and page.chat is not None:
        outcome = Outcome()
        state.keep_outcome(outcome)
        running = st.empty()
        with running.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, "Storing…")
            st.button("Stop", key="import_stop", icon=":material/stop_circle:")
        step, store = _in_steps(bar.progress), page.chat.store
        # Pressing the button reruns the page, which ends this run at its next step, between two chats.
        store_rows(store, found, rows, owner=owner, copies=copies, progress=step, outcome=outcome)
        running.empty()
    import_result.draw(state.outcome(), open_chat)
