"""The list of requests that passed, newest first, each with a link to what it sent."""

from __future__ import annotations

import time

import streamlit as st

from lib.errors import ChatError
from lib.recorder.entries import Entry
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.record import watch
from lib.ui.shell import error_box, menu, services

SHOWN = 30
NAMES = {"/v1/chat/completions": "Chat Completions", "/v1/responses": "Responses", "/v1/messages": "Messages"}
EMPTY = "Nothing recorded yet. Turn recording on, change the line above, and run your app: its requests appear here."


def draw() -> None:
    """The newest requests. The page is drawn again when another one comes."""
    st.subheader("What was recorded", anchor=False)
    watch.follow_list()
    try:
        entries = services.recorded().newest(services.chat().store)
    except ChatError as error:
        error_box.show(error)
        return
    if not entries:
        st.info(EMPTY, icon=":material/radio_button_unchecked:")
        return
    for entry in entries[:SHOWN]:
        _entry(entry)
    if len(entries) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(entries):,}. The chats in the sidebar have all of them.")


def _entry(entry: Entry) -> None:
    """One request: what it was as a link, and what became of it."""
    with st.container(gap=None, key=f"recorded:{entry.id}"):
        title = f"{entry.model or 'unknown model'} · {NAMES.get(entry.path, entry.path)}"
        if entry.session_id:
            where = {"session": entry.session_id} | ({} if entry.turn is None else {"turn": str(entry.turn)})
            page = menu.MENU["context_window"]
            st.page_link(page.path, label=as_label(title, 80), icon=_icon(entry), query_params=where)
        else:
            st.markdown(f"{_icon(entry)} {as_label(title, 80)}")
        st.caption(sentence(entry, time.time()))


def sentence(entry: Entry, now: float) -> str:
    """Markdown. Example: "2 min ago · openai · 12 messages sent, 4 dropped by your app · 1,204 in, 80 out (billed)"."""
    parts = [numbers.ago(max(0.0, now - entry.at)), as_markdown(entry.endpoint)]
    if entry.state == "running":
        parts.append("on its way")
    if entry.state == "recorded":
        gone = f", {entry.left_out:,} not sent" if entry.left_out else ""
        parts.append(f"{numbers.plural(entry.sent, 'message')} sent{gone}")
        counted = "counted" if entry.endpoint == "local" else "billed"
        known = [(entry.input_tokens, "in"), (entry.output_tokens, "out")]
        sizes = ", ".join(f"{count:,} {word}" for count, word in known if count is not None)
        parts.append(f"{sizes} ({counted})" if sizes else f"tokens {numbers.NOT_REPORTED}")
    if entry.status is not None and entry.status >= 300:
        parts.append(f"status {entry.status}")
    line = " · ".join(parts)
    return f"{line}  \n{as_markdown(entry.note)}" if entry.note else line


def _icon(entry: Entry) -> str:
    if entry.state == "running":
        return ":material/pending:"
    failed = entry.state == "passed on" or (entry.status or 0) >= 300 or entry.status is None
    return ":material/error:" if failed else ":material/check:"
