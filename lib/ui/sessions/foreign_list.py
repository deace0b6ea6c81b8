"""What other services and libraries keep on the same Redis, as lists of links. Drawing them writes nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from lib.errors import ChatError
from lib.history.foreign import FORMATS
from lib.history.foreign.sessions import ForeignPage, ForeignSessions
from lib.history.foreign.store import foreign_sessions
from lib.history.sessions import SessionRow
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown
from lib.ui.shell import error_box, menu, services
from lib.ui.shell.page import Page

ROWS = 25
"""Conversations on one page of the list."""
NO_REDIS = (
    "This app keeps its chats in its own memory. Other libraries' conversations are found on a Redis (`REDIS_URL`)."
)
NOT_YOURS = "Other libraries' conversations have no owner here, so only an admin of this app sees them."
ITEMS = FORMATS["openai-agents"]
"""Its items are counted before calls that belong together become one message."""
LOOKED_FOR = """\
Windowseat looks for

- `agents:session:<id>:messages`, the sessions of openai-agents,
- `chat:<id>:<ULID>`, the chat histories of langchain-redis,
- `<name>:<session tag>:<time>:<hex>`, the message histories of RedisVL,
- `checkpoint_latest:<thread>:__empty__` and `checkpoint:<thread>:`, the checkpoints of LangGraph,
- `prefix:<id>` with a JSON array of messages, for each prefix in `WINDOWSEAT_READ_PREFIXES`."""


def draw(page: Page) -> None:
    """What was found, a search, and a line for each conversation with a link that opens it."""
    try:
        foreign = foreign_sessions(services.chat().store)
        if not services.asking().sees_all:
            st.info(NOT_YOURS)
        elif foreign is None:
            st.info(NO_REDIS)
        else:
            _list(foreign, page.session_id)
    except ChatError as error:
        error_box.show(error)


def _list(foreign: ForeignSessions, open_id: str) -> None:
    """Chats of other services that have the app's own keys, then the conversations of libraries."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Search names", key="foreign_text", placeholder="A name, or a library", max_chars=200)
        st.button("Look again", icon=":material/refresh:", key="foreign_again", on_click=foreign.look_again)
    _unlisted(foreign.unlisted(text), open_id)
    found = foreign.list_foreign(0, None, text)
    st.markdown(sentence(found, text))
    if not found.total:
        if not text:
            st.markdown(LOOKED_FOR)
        return
    pages = -(-found.total // ROWS)
    number = st.pagination(pages, key=f"foreign_page:{pages}") if pages > 1 else 1
    shown = foreign.list_foreign(ROWS, str((number - 1) * ROWS), text)
    for row in shown.rows:
        _line(row, shown.notes.get(row.session_id, ""), row.session_id == open_id)


def _unlisted(ids: Sequence[str], open_id: str) -> None:
    """The chats that other services keep under `chat:<id>`, and that no list of chats has."""
    if not ids:
        return
    st.markdown(unlisted_sentence(len(ids)))
    pages = -(-len(ids) // ROWS)
    number = st.pagination(pages, key=f"unlisted_page:{pages}") if pages > 1 else 1
    store = services.chat().store
    for session_id in ids[(number - 1) * ROWS : number * ROWS]:
        row = store.row(session_id)
        if row is not None:  # it may have expired meanwhile
            _line(row, "", session_id == open_id)


def unlisted_sentence(count: int) -> str:
    """Example: "**3 chats of other services** are on this Redis. Go on with one, and it joins the list of chats."."""
    are = "chat of another service** is" if count == 1 else "chats of other services** are"
    return f"**{count:,} {are} on this Redis. Go on with one, and it joins the list of chats."


def sentence(found: ForeignPage, text: str) -> str:
    """Example: "**12 conversations** of other libraries, found among 4,100 keys. Windowseat only reads them." """
    named = " with this name" if text else ""
    keys = numbers.plural(found.keys_looked_at, "key")
    if not found.total:
        return f"**No conversation** of another library{named} was found among {keys}."
    words = f"**{numbers.plural(found.total, 'conversation')}** of other libraries{named}, found among {keys}."
    unseen = "" if found.is_complete else " There are more keys, which were not looked at."
    return f"{words}{unseen} Windowseat only reads them."


def _line(row: SessionRow, note: str, is_open: bool) -> None:
    """A conversation: its name as a link, and what is known about it."""
    title = as_label(row.title, 60) or as_label(row.session_id, 60)
    with st.container(gap=None, key=f"foreign:{row.session_id}"):
        st.page_link(
            menu.MENU["chat"].path,
            label=f"**{title}**" if is_open else title,
            query_params={"session": row.session_id},
            width="content",
        )
        st.caption(f"{facts(row, bool(note))}{f' · {as_markdown(note)}' if note else ''}")


def facts(row: SessionRow, is_unread: bool) -> str:
    """Example: "openai-agents · 6 messages · 3 min ago · 58 m left · 1.2 KB"."""
    words = [row.format or f"`chat:{row.session_id}`"]
    if not is_unread and row.messages is not None:
        words.append(numbers.plural(row.messages, "item" if row.format == ITEMS else "message"))
    if row.last_activity:
        words.append(numbers.ago(time.time() - row.last_activity))
    words.append(numbers.left(row.expires_in))
    if row.size is not None:
        words.append(numbers.stored_size(row.size))
    return " · ".join(words)
