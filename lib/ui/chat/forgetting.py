"""Plays the demonstration "Watch it forget": sends the next prompt when a turn is done, and says what was lost.

Each turn belongs to a thread, as any other does. The page that follows it sends the next one, as long as its person has
not paused; so a closed tab ends with the turn that is being answered, and opening a demonstration never sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from lib.context.plan import ContextPlan
from lib.errors import ChatError
from lib.example.forgetting import FACT, SECRET, Progress, dropped_from, is_demonstration, progress
from lib.turns import PlanSummary, Turn
from lib.ui.chat import actions, state
from lib.ui.shell import menu
from lib.ui.shell.page import Page


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of a demonstration: how far it is, and a line for each message that is no longer sent, by its
    stored index."""

    found: Progress
    playing: bool
    notes: Mapping[int, str]


def go_on(page: Page, plan: ContextPlan | None) -> Shown | None:
    """Send the next prompt if it is time to. Returns what to show; None for any other chat.

    `plan` is the request that is being answered, if one is.
    """
    if not is_demonstration(page.session_id) or page.chat is None or page.error is not None:
        return None
    try:
        turns = page.chat.store.turns(page.session_id)
    except ChatError:
        return None
    now = PlanSummary.of(plan) if plan is not None and page.live is not None else None
    found = progress(page.history, turns, now)
    playing = state.playing() == page.session_id
    if playing and page.live is None and found.next_prompt is not None:
        if not actions.send(page.session_id, found.next_prompt, page.settings):
            state.play(None)
        st.rerun()
    lost = dropped_from(page.history, turns)
    notes = {index: f":material/visibility_off: No longer sent: dropped at turn {turn}" for index, turn in lost.items()}
    return Shown(found, playing, notes)


def draw(page: Page, shown: Shown) -> None:
    """The sentence that says what was lost, or what is being waited for, with a button to pause or to go on."""
    found = shown.found
    with st.container(horizontal=True, wrap=found.asked_again is not None, vertical_alignment="center", gap="small"):
        st.markdown(sentence(found), width="stretch")
        if found.asked_again is not None:
            _link(page, found.asked_again)
        elif found.next_prompt is not None or page.live is not None:
            st.button(
                "Pause" if shown.playing else "Go on",
                icon=":material/pause:" if shown.playing else ":material/play_arrow:",
                key="pause",
                type="tertiary",
                on_click=state.play,
                args=(None if shown.playing else page.session_id,),
            )


def sentence(found: Progress) -> str:
    """Example: "**The last message with “The door code is 7421” was dropped at turn 7: …** At turn 8 …"."""
    if found.dropped_at is None:
        return f"“{FACT}” is still sent with every message. When the window is full, the oldest messages go first."
    words = (
        f"**The last message with “{FACT}” was dropped at turn {found.dropped_at}. Since then, the model has not"
        " seen it.**"
    )
    if found.knew is not None:
        words += f" At turn {found.knew.number} it was sent, and the model knew the code."
    if found.asked_again is None:
        return words
    if SECRET in found.asked_again.reply:
        return f"{words} At turn {found.asked_again.number} it named the code all the same, which can only be a guess."
    return f"{words} At turn {found.asked_again.number} it was not. All messages are still stored."


def _link(page: Page, turn: Turn) -> None:
    st.page_link(
        menu.MENU["context_window"].path,
        label=f":small[What turn {turn.number} was sent]",
        icon=":material/chevron_right:",
        icon_position="right",
        query_params={"session": page.session_id, "turn": str(turn.number)},
    )
