"""The tab that compares the open session with another one, exchange by exchange, with what was sent for each."""

from __future__ import annotations

import streamlit as st

from lib.analysis.lineage import family
from lib.analysis.side_by_side import Pair, side_by_side
from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.history.sessions import SessionQuery, SessionRow
from lib.tokens import TokenCounter
from lib.tokens.model_counters import counter_for
from lib.ui.format import numbers
from lib.ui.sessions import state
from lib.ui.sessions.row_labels import labels
from lib.ui.sessions.variants import pairs as pairs_view
from lib.ui.shell import error_box, services, session, session_settings
from lib.ui.shell.page import Page

OFFERED = 50
"""Sessions that were used last, to choose from."""
PAIRS = 10
"""Exchanges on one page."""


def draw(page: Page) -> None:
    """Choose the other session, then see both."""
    if page.chat is None or page.error is not None:
        return
    try:
        own = page.chat.store.row(page.session_id)
        if own is None:
            st.info("The open chat holds no messages yet. Choose one from the list, then compare it with another one.")
            return
        other = _choose(page)
        if other:
            _draw(page, own, other)
    except ChatError as error:
        error_box.show(error)


def _choose(page: Page) -> str:
    """The session to compare with: at first a relative. Empty where there is no other one."""
    assert page.chat is not None
    store, own = page.chat.store, page.session_id
    relatives = [each.row for each in family(store, own) if each.row is not None]
    nearest = _nearest(relatives, own)
    rows = {row.session_id: row for row in (*nearest, *relatives, *store.find(SessionQuery(), None, OFFERED).rows)}
    wanted = state.other_session()
    chosen = store.row(wanted) if wanted and wanted not in rows else None
    if chosen is not None:
        rows[wanted] = chosen
    rows.pop(own, None)
    if not rows:
        st.info("There is only one chat. Fork it or replay it, and both can be compared here.")
        return ""
    named = labels(rows.values())
    session.set_widget(state.OTHER, wanted if wanted in rows else next(iter(rows)))
    picked: str = st.selectbox(
        "Compare the open chat with",
        list(rows),
        key=state.OTHER,
        format_func=lambda name: named.get(name, name),
        on_change=state.put_other_into_url,
    )
    return picked


def _nearest(relatives: list[SessionRow], own: str) -> list[SessionRow]:
    """The parent of the session, and what was forked from it."""
    parent = next((row.parent.session_id for row in relatives if row.session_id == own and row.parent), "")
    return [
        row
        for row in relatives
        if row.session_id == parent or (row.parent is not None and row.parent.session_id == own)
    ]


def _draw(page: Page, own: SessionRow, other_id: str) -> None:
    assert page.chat is not None
    store = page.chat.store
    other = store.row(other_id)
    if other is None:
        st.info("That chat is gone. Choose another one.")
        return
    history = store.load(other_id)
    pairs = side_by_side(page.history, store.turns(page.session_id), history, store.turns(other_id))
    settings = session_settings.restored(store.about(other_id).settings)
    st.markdown(sentence(pairs))
    pairs_view.draw_sums(own, other, page.settings, settings)
    if not pairs:
        return
    pages = -(-len(pairs) // PAIRS)
    key = f"pairs_page:{page.session_id}:{other_id}"
    first = next((at for at, pair in enumerate(pairs) if pair.differs), 0)
    session.start_widget(key, first // PAIRS + 1)
    number = st.pagination(pages, key=key) if pages > 1 else 1
    counters = {pairs_view.LEFT: _counter(page.settings), pairs_view.RIGHT: _counter(settings)}
    pairs_view.draw(pairs[(number - 1) * PAIRS : number * PAIRS], counters)


def _counter(settings: ChatSettings) -> TokenCounter:
    """The nearest tokenizer of a chat's model. It asks no server."""
    return counter_for(services.endpoint(settings.provider).kind, settings.model)


def sentence(pairs: list[Pair]) -> str:
    """Example: "**The first 2 of 5 exchanges are the same.** After them, 3 differ."."""
    same = next((at for at, pair in enumerate(pairs) if pair.differs), len(pairs))
    differing = sum(pair.differs for pair in pairs)
    if not pairs:
        return "**Neither chat has a question yet.**"
    if not differing:
        return f"**All {numbers.plural(len(pairs), 'exchange')} are the same**, questions and replies."
    if not same:
        return f"**{differing:,} of {numbers.plural(len(pairs), 'exchange')} differ**, from the first one on."
    are = "exchange is" if same == 1 else f"{same:,} exchanges are"
    after = len(pairs) - same
    rest = "The one" if after == 1 else f"The {after:,}" if differing == after else f"{differing:,} of the {after:,}"
    return f"**The first {are} the same.** {rest} after that {'differs' if differing == 1 else 'differ'}."
