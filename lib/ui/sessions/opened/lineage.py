"""Where the open session was forked from and what was forked from it, as an indented list."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.analysis.lineage import Relative, family
from lib.history.sessions import Parent
from lib.ui.format import numbers
from lib.ui.format.text import NBSP, as_label
from lib.ui.sessions import state
from lib.ui.shell import services, session

INDENT = NBSP * 6
DEEPEST = 6
"""Levels that are indented; deeper ones stand below each other, so that they stay on a phone."""


def draw(session_id: str) -> None:
    """The family as a list. Nothing for a session without relatives."""
    relatives = family(services.chat().store, session_id)
    if len(relatives) < 2:
        return
    with st.container(border=True, gap="xsmall", key="lineage"):
        st.markdown(sentence(relatives, session_id))
        for each in relatives:
            _line(each, session_id)


def sentence(relatives: Sequence[Relative], session_id: str) -> str:
    """Example: "**This chat was forked after message 4**, and 2 chats come from it."."""
    place = next(at for at, each in enumerate(relatives) if each.session_id == session_id)
    own, below = relatives[place], len(relatives) - place - 1
    forks = f"{numbers.plural(below, 'chat')} {'comes' if below == 1 else 'come'} from"
    if own.parent is None:
        return f"**{forks} this one.**"
    return f"**This chat {how(own.parent)}**{f', and {forks} it' if below else ''}."


def how(parent: Parent) -> str:
    """How a session came from its parent. Example: "was forked after message 4"."""
    if parent.how == "edit":
        return f"is a fork in which message {parent.messages + 1} was edited"
    if parent.how == "replay":
        return "replays another one"
    if parent.how == "app":
        return f"was begun by your app, which changed what came after message {parent.messages}"
    if parent.how == "resend":
        return "began with an edited request"
    return f"was forked after message {parent.messages}"


def short(parent: Parent) -> str:
    """The same for a list. Example: "forked after message 4", "message 5 was edited"."""
    return how(parent).removeprefix("is a fork in which ").removeprefix("was ")


def _line(each: Relative, session_id: str) -> None:
    """One session: its title, which opens it, how it came about, and a button to compare it with the open one."""
    gone = each.row is None
    title = "a chat that is gone" if each.row is None else as_label(each.row.title, 40) or "untitled"
    indent = INDENT * min(each.depth, DEEPEST)
    arrow = ":material/subdirectory_arrow_right:" if each.depth else ":material/chat_bubble:"
    came = (
        f" · {how(each.parent).removeprefix('is a fork in which ')}" if each.parent is not None and each.depth else ""
    )
    with st.container(
        horizontal=True, wrap=False, vertical_alignment="center", gap="small", key=f"relative:{each.session_id}"
    ):
        if gone or each.session_id == session_id:
            st.markdown(f"{indent}{arrow} {title if gone else f'**{title}**'}:small[:gray[{came}]]", width="content")
            return
        st.button(
            f"{indent}{arrow} {title}:small[:gray[{came}]]",
            key=f"relative_open:{each.session_id}",
            type="tertiary",
            on_click=session.open_session,
            args=(each.session_id,),
            help="Open this chat",
        )
        st.button(
            ":material/compare_arrows:",
            key=f"relative_compare:{each.session_id}",
            type="tertiary",
            help="Compare the open chat with this one",
            on_click=state.compare_with,
            args=(each.session_id,),
        )
