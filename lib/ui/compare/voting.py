"""Blind comparison: the vote on columns whose names are hidden, and how the votes so far turned out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lib.errors import ChatError
from lib.history.votes import Vote
from lib.ui.compare import actions, column, names, state
from lib.ui.compare.column import Column
from lib.ui.format import numbers
from lib.ui.format.text import as_label
from lib.ui.shell import services

NONE_BETTER = "None is better"


def draw(columns: Sequence[Column]) -> None:
    """The buttons while the names are hidden, and what was chosen once they are not."""
    if not state.is_blind():
        return
    ids = tuple(each.session_id for each in columns)
    voted = _vote_on(ids)
    if voted is None:
        _ask(columns, ids)
        return
    chosen = next((each for each in columns if names.whole_name(each.page.settings) == voted.winner), None)
    what = (
        f"You preferred **{as_label(chosen.heading, 90)}**." if chosen is not None else "You said that none is better."
    )
    st.success(what, icon=":material/how_to_vote:")


def _ask(columns: Sequence[Column], ids: Sequence[str]) -> None:
    """One button per column. A vote needs an answer in each."""
    ready = all(each.turns for each in columns) and not any(each.busy for each in columns)
    st.markdown("**Which answers are better?**" if ready else ":gray[You can vote when every column has answered.]")
    settings = [each.page.settings for each in columns]
    with st.container(horizontal=True, key="compare_vote"):
        for each in columns:
            st.button(
                f"{each.letter} is better",
                key=f"compare_vote:{each.letter}",
                disabled=not ready,
                on_click=actions.vote,
                args=(names.whole_name(each.page.settings), settings, ids),
            )
        st.button(
            NONE_BETTER, key="compare_vote:none", disabled=not ready, on_click=actions.vote, args=("", settings, ids)
        )


def tally() -> None:
    """How often each model was preferred, in a panel; nothing without votes."""
    try:
        votes = services.votes().votes()
    except ChatError:  # the page says so already
        return
    if not votes:
        return
    panel = st.expander(
        f"Your votes ({len(votes):,})", icon=":material/how_to_vote:", key=state.VOTES, on_change="rerun"
    )
    if not panel.open:
        return
    with panel:
        st.markdown("\n".join(f"- {line}" for line in tally_lines(votes)))
        st.button("Forget all votes", icon=":material/delete:", key="compare_forget", on_click=actions.forget_votes)


def tally_lines(votes: Sequence[Vote]) -> list[str]:
    """Markdown, the most preferred first. Example: "openai: gpt-6-luna, Batch: preferred in 3 of 4 votes"."""
    shown = Counter(name for vote in votes for name in dict.fromkeys(vote.shown))
    won = Counter(vote.winner for vote in votes if vote.winner)
    ordered = sorted(shown, key=lambda name: (-won[name] / shown[name], -shown[name], name))
    return [
        f"{as_label(name, 120)}: preferred in {won[name]:,} of {numbers.plural(shown[name], 'vote')}"
        for name in ordered
    ]


def _vote_on(ids: Sequence[str]) -> Vote | None:
    try:
        return next((vote for vote in services.votes().votes() if vote.id == column.vote_id(ids)), None)
    except ChatError:  # the page says so already
        return None
