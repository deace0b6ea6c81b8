"""Keeps a page in step with the recorder: it is drawn again as soon as a request begins or has been recorded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import streamlit as st

from lib.errors import ChatError
from lib.ui.format import numbers
from lib.ui.shell import services
from lib.ui.shell.page import Page

SECONDS = 0.7
"""Between two looks. What is recorded must be on the page within a second."""


def draw(page: Page) -> None:
    """Show that a request of the open chat is being answered, and draw the page again when its turn is stored.

    Only while recording is on: otherwise nothing comes by itself.
    """
    if page.chat is not None and page.error is None and services.recorder().on:
        _tick(page, _newest(page), itertools.count())


@st.fragment(run_every=SECONDS)
def _tick(page: Page, newest: int, ticks: Iterator[int]) -> None:
    """Look whether there is another turn, and say what is on its way. The first call comes while the page is drawn."""
    assert page.chat is not None
    try:
        live = page.chat.live(page.session_id)
        if next(ticks) and _newest(page) != newest:
            st.rerun()
    except ChatError:
        st.rerun()
    if live is not None and not live.interrupted:
        written = numbers.plural(len(live.text), "character") if live.text else "nothing yet"
        st.caption(f":material/radio_button_checked: A request is being answered: {written}.")


def follow_list() -> None:
    """Draw the page again whenever the list of requests has changed."""
    _follow(services.recorded().revision)


@st.fragment(run_every=SECONDS)
def _follow(revision: int) -> None:
    if services.recorded().revision != revision:
        st.rerun()


def _newest(page: Page) -> int:
    """The number of the newest turn; 0 without one."""
    assert page.chat is not None
    turns = page.chat.store.turns(page.session_id, 1)
    return turns[-1].number if turns else 0
