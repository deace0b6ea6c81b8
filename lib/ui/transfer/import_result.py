"""Says what became of an import: the new chats with their links, what was refused, and where it stopped."""

from __future__ import annotations

import streamlit as st

from lib.transfer.importing import Imported, Outcome
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import error_box, menu

LINKS = 10
"""Chats that are linked. The others are in the list of chats."""


def draw(outcome: Outcome | None) -> None:
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
    for title, reason in outcome.refused[:LINKS]:
        st.caption(f":material/block: “{as_label(title)}” did not come in: {as_label(reason, 200)}")
    for each in [*new, *old][:LINKS]:
        _link(each)
    if len(outcome.imported) > LINKS:
        st.caption(f"{len(outcome.imported) - LINKS:,} more are in the list of chats.")


def _stored(new: list[Imported]) -> str:
    return f"{numbers.plural(len(new), 'chat')} {'was' if len(new) == 1 else 'were'} stored"


def _link(imported: Imported) -> None:
    entry = menu.MENU["chat"]
    label = as_label(imported.title, 80)
    st.page_link(entry.path, label=label, icon=entry.icon, query_params={"session": imported.session_id})
