"""Plays the demonstration "Watch it forget": sends the next prompt when a turn is done, and says what was lost.

Each turn belongs to a thread, as any other does. The page that follows it sends the next one, as long as its person has
not paused; so a closed tab ends with the turn that is being answered, and opening a demonstration never sends anything.
"""

from __future__ import annotations

import streamlit as st

from lib.errors import ChatError
from lib.example.forgetting import FACT, SECRET, Progress, dropped_from, is_demonstration, progress
from lib.turns import Turn
from lib.ui.chat import actions, state
from lib.ui.shell import menu
from lib.ui.shell.page import Page


def draw(page: Page) -> dict[int, str]:
    """Send the next prompt if it is time to, and draw above the window strip how far it has come.

    Returns a line for each message with the fact that is no longer sent, by its stored index.
    """
    if not is_demonstration(page.session_id) or page.chat is None or page.error is not None or not page.history:
        return {}
    try:
        turns = page.chat.store.turns(page.session_id)
    except ChatError:
        return {}
    found = progress(page.history, turns)
    playing = state.playing() == page.session_id
    if playing and page.live is None and found.next_prompt is not None:
        if not actions.send(page.session_id, found.next_prompt, page.settings):
            state.play(None)
        st.rerun()
    with st.bottom, st.container(gap="xsmall", key="forgetting"):
        _where_it_stands(page, found, playing)
    lost = dropped_from(page.history, turns)
    return {index: f":material/visibility_off: No longer sent: dropped at turn {n}" for index, n in lost.items()}


def sentence(found: Progress) -> str:
    """Example: "**“The door code is 7421” was dropped at turn 7: the model was not sent it.** …"; empty before that."""
    if found.dropped_at is None:
        return ""
    words = f"**“{FACT}” was dropped at turn {found.dropped_at}: the model was not sent it.**"
    if found.knew is not None:
        words += f" While it was sent, at turn {found.knew.number}, the model knew the code."
    if found.asked_again is not None and SECRET not in found.asked_again.reply:
        words += f" Asked again at turn {found.asked_again.number}, it does not. The message is still stored."
    elif found.asked_again is not None:
        words += f" At turn {found.asked_again.number} it named the code all the same, which can only be a guess."
    return words


def _where_it_stands(page: Page, found: Progress, playing: bool) -> None:
    """The sentence, or what is being waited for, with a button to pause or to go on."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(sentence(found) or _waiting(found), width="stretch")
        if found.asked_again is not None:
            _link(page, found.asked_again)
        elif found.next_prompt is not None or page.live is not None:
            st.button(
                "Pause" if playing else "Go on",
                icon=":material/pause:" if playing else ":material/play_arrow:",
                key="pause",
                type="tertiary",
                on_click=state.play,
                args=(None if playing else page.session_id,),
            )


def _waiting(found: Progress) -> str:
    """What happens while the fact is still sent."""
    if found.next_prompt is None:
        return f"“{FACT}” is still sent with every message."
    return f"“{FACT}” is still sent with every message. The window below fills up, and the oldest messages go first."


def _link(page: Page, turn: Turn) -> None:
    st.page_link(
        menu.MENU["context_window"].path,
        label=f":small[What turn {turn.number} was sent]",
        icon=":material/chevron_right:",
        icon_position="right",
        query_params={"session": page.session_id, "turn": str(turn.number)},
    )
