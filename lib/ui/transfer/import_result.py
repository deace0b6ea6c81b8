"""Says what became of an import: the new chats with buttons that open them, what was refused, and where it stopped."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.transfer.importing import Imported, Outcome
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import error_box

OpenChat = Callable[[str], None]
"""Opens the chat with this id. It is called from a button's callback."""
BUTTONS = 10
"""Chats that get a button. The others are in the list of chats."""


def draw(outcome: Outcome | None, open_chat: OpenChat) -> None:
    """The outcome of the last import of the open file; nothing before it."""
    if outcome is None:
        return
    new = [each for each in outcome.imported if not each.already]
    old = [each for each in outcome.imported if each.already]
    if outcome.error is not None:
        error_box.show(outcome.error, wait=False)
        st.markdown(
            f"It failed at “{as_label(outcome.failed)}”. {_stored(new)}, and stays stored;"
            f" {numbers.plural(len(outcome.not_tried) + 1, 'chat')} of the selected are not. Import them again: what is"
            " here already makes no doubles."
        )
    elif outcome.not_tried:
        st.info(
            f"Stopped. {_stored(new)}; {numbers.plural(len(outcome.not_tried), 'selected chat')} not.",
            icon=":material/stop_circle:",
        )
    elif new or not old:
        st.success(f"{_stored(new)}.", icon=":material/check:")
    if old:
        st.info(
            f"{numbers.plural(len(old), 'chat')} had been imported before, and nothing was changed there.",
            icon=":material/content_copy:",
        )
    for title, reason in outcome.refused[:BUTTONS]:
        st.caption(f":material/block: “{as_label(title)}” did not come in: {as_label(reason, 200)}")
    for each in [*new, *old][:BUTTONS]:
        _open(each, open_chat)
    if len(outcome.imported) > BUTTONS:
        st.caption(f"{len(outcome.imported) - BUTTONS:,} more are in the list of chats.")


def _stored(new: list[Imported]) -> str:
    return f"{numbers.plural(len(new), 'chat')} {'was' if len(new) == 1 else 'were'} stored"


def _open(imported: Imported, open_chat: OpenChat) -> None:
    st.button(
        f"Open “{as_label(imported.title, 80)}”",
        icon=":material/open_in_full:",
        type="tertiary",
        key=f"import_open:{imported.session_id}",
        on_click=open_chat,
        args=(imported.session_id,),
    )
