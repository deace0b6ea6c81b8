"""What the import and export panels keep in st.session_state: the opened file, the choice, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from lib.errors import ImportRefused
from lib.transfer.importing import Outcome
from lib.transfer.opened import Opened

OPENED, CHOSEN, OUTCOME, MADE = "import:opened", "import:chosen", "import:outcome", "export:made"
SEARCH, PAGE = "import:search", "import:page"


def opened(source: object) -> Opened | ImportRefused | None:
    """What the file `source` names holds, or why it was refused; None if it has not been read yet."""
    kept = st.session_state.get(OPENED)
    found: Opened | ImportRefused | None = kept[1] if kept is not None and kept[0] == source else None
    return found


def keep_opened(source: object, found: Opened | ImportRefused) -> None:
    """Keep what was read, in the place of the file before.

    At first every chat that can come in is chosen, of one with branches the current one.
    """
    st.session_state[OPENED] = (source, found)
    st.session_state.pop(OUTCOME, None)
    st.session_state.pop(SEARCH, None)
    st.session_state[PAGE] = 1
    rows = found.rows if isinstance(found, Opened) else ()
    choose((row.number for row in rows if not row.refusal and not row.branch), True, fresh=True)


def forget_opened() -> None:
    """Drop the file and everything about it."""
    for key in (OPENED, CHOSEN, OUTCOME):
        st.session_state.pop(key, None)


def chosen() -> set[int]:
    """The numbers of the rows that are chosen."""
    numbers: set[int] = st.session_state.get(CHOSEN, set())
    return numbers


def choose(numbers: Iterable[int], on: bool, *, fresh: bool = False) -> None:
    """Choose rows, or take them out. With `fresh` the choice begins anew. For callbacks."""
    before = set() if fresh else chosen()
    st.session_state[CHOSEN] = before | set(numbers) if on else before - set(numbers)


def outcome() -> Outcome | None:
    """What became of the last import of this file; None before it."""
    found: Outcome | None = st.session_state.get(OUTCOME)
    return found


def keep_outcome(found: Outcome) -> None:
    """Keep an outcome, which is still being filled."""
    st.session_state[OUTCOME] = found


def made(choices: object) -> bytes | None:
    """The file that was made for these choices; None if there is none."""
    kept = st.session_state.get(MADE)
    found: bytes | None = kept[1] if kept is not None and kept[0] == choices else None
    return found


def keep_made(choices: Any, file: bytes) -> None:
    """Keep a file that was made, in the place of the one before."""
    st.session_state[MADE] = (choices, file)
