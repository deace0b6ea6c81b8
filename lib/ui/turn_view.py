"""One turn, looked at: what was stored, what was sent, what was left out and why.

The rule: looking writes nothing. Everything shown is rebuilt from the stored history and the turn's own record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from lib.chat import matches_what_was_sent
from lib.context import REASON_TEXT, Reason
from lib.errors import ChatError
from lib.messages import Message, user
from lib.tokens import ESTIMATE, PROVENANCE_TEXT, TokenCounter
from lib.turns import Turn
from lib.ui import menu, numbers, palette, services, session, strip
from lib.ui.page import Page
from lib.ui.text import as_markdown, drawable

if TYPE_CHECKING:
    import pandas as pd

TURN = "chosen_turn"
STYLED_ROWS = 2_000
"""A longer table is drawn plain: styling costs more than the table."""
TEXT_SHOWN = 300
"""Characters of a message in the table; the whole message opens in its cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the table. `index` is None for the session's system prompt, which is not a stored message."""

    index: int | None
    message: Message
    tokens: int
    included: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn with everything it is shown by. `later` counts messages stored after it."""

    turn: Turn
    counter: TokenCounter
    rows: list[Row]
    fill: strip.Fill
    later: int
    matches: bool | None


def pick(page: Page) -> Turn | None:
    """The turn to look at, newest first; kept in the URL as `?turn=`. None, with a word why, where there is none."""
    if page.chat is None or page.trouble is not None:
        return None
    turns = page.chat.store.turns(page.session_id)
    if not turns:
        _explain_empty(page)
        return None
    by_number = {turn.number: turn for turn in reversed(turns)}
    asked = session.asked_turn()
    st.session_state[TURN] = asked if asked in by_number else turns[-1].number
    chosen = st.selectbox(
        "Turn", list(by_number), key=TURN, on_change=lambda: session.ask_for_turn(st.session_state[TURN]),
        format_func=lambda number: f"Turn {number}: {drawable(by_number[number].prompt[:80])}" if number in by_number else str(number),
        help="One message of yours and the reply to it, newest first.",
    )  # fmt: skip
    return by_number[chosen]


def load(page: Page, turn: Turn) -> TurnView:
    """Put the turn's record beside the stored history."""
    counter = services.counter_of_turn(turn)
    try:
        rows = _rows(turn, page, counter)
    except ChatError:  # it went away while it was asked
        counter = ESTIMATE
        rows = _rows(turn, page, counter)
    sizes = [row.tokens for row in rows if row.index is not None]
    fill = strip.fill_of_turn(turn.plan, sizes) if turn.plan else strip.Fill(1, (), 0)
    later = max(0, len(page.history) - len(sizes) - 1)
    return TurnView(turn, counter, rows, fill, later, _matches(page, turn))


def show(view: TurnView) -> None:
    """The takeaway, the strip, then the table."""
    turn = view.turn
    if turn.plan is None:
        st.info("This turn ended before it was decided what to send, so there is nothing to show but its text.")
        return
    st.markdown(_takeaway(view))
    if turn.plan.fallback:
        st.caption(turn.plan.fallback)
    strip.draw(view.fill, tall=True, legend=True)
    st.caption(f"Sizes are tokens by {numbers.by(view.counter)}: {PROVENANCE_TEXT[view.counter.provenance]}")
    if view.counter.name != turn.plan.counter:
        st.caption(
            f"When it was sent, {turn.plan.counter} counted, which cannot be asked now: these sizes are another's, and may not "
            "add up to what was decided then."
        )
    _facts(view)
    _table(view)


def _takeaway(view: TurnView) -> str:
    plan = view.turn.plan
    assert plan is not None
    stored = plan.stored + 1
    sent = sum(stop - start for start, stop, included, _ in plan.runs if included)
    if sent == stored:
        return f"**Everything was sent:** all {numbers.plural(stored, 'message')}, the new one included."
    left_out = numbers.plural(stored - sent, "message")
    return f"**{left_out} of {stored:,} were left out,** {view.fill.left_out:,} tokens; {sent:,} were sent."


def _facts(view: TurnView) -> None:
    """Who answered, what the provider says it read and wrote, and whether the request can be proved."""
    turn = view.turn
    usage, by = turn.usage, turn.usage_provenance
    read, cached, wrote = (
        numbers.tokens(n, by) for n in (usage.input_tokens, usage.cached_tokens, usage.output_tokens)
    )
    st.caption(
        f"{as_markdown(turn.provider)} · {as_markdown(turn.model)} · the server read {read}, of that from its cache {cached} · "
        f"wrote {wrote} · ended: {turn.stop_reason or numbers.NOT_REPORTED}"
    )
    if view.matches:
        st.caption(
            f":material/verified: The request rebuilt from the stored history matches what was sent "
            f"(SHA-256 `{(turn.request_sha256 or '')[:16]}…`)."
        )
    elif view.matches is False:
        st.warning(
            "The request cannot be rebuilt exactly: the stored history or the provider's settings changed since this turn.",
            icon=":material/history:",
        )


def _table(view: TurnView) -> None:
    """Every message with its fate."""
    import pandas as pd  # on first use: the chat page must not wait for it

    frame = pd.DataFrame(
        [
            {
                "#": "" if row.index is None else str(row.index + 1),
                "from": row.message.role,
                "fate": "sent" if row.included else "left out",
                "tokens": row.tokens,
                "message": _shortened(row.message.text),
                "why": REASON_TEXT[row.reason].split(": ", 1)[1],
            }
            for row in view.rows
        ]
    )
    drawn = frame if len(frame) > STYLED_ROWS else frame.style.apply(_greyed, axis=1)
    st.dataframe(
        drawn, hide_index=True, key="messages", alt="Every stored message with whether it was sent, its tokens and why",
        height=min(700, 38 + 35 * max(1, len(frame))),
        column_config={
            "#": st.column_config.TextColumn("#", width=50, help="Its place in the stored conversation"),
            "from": st.column_config.TextColumn("from", width=85),
            "fate": st.column_config.TextColumn("sent?", width=75),
            "tokens": st.column_config.NumberColumn("tokens", width=70, format="localized"),
            "message": st.column_config.TextColumn("message", width=280),
            "why": st.column_config.TextColumn("why", width="large"),
        },
    )  # fmt: skip
    if view.later:
        st.caption(f"{numbers.plural(view.later, 'message')} came after this turn and are not shown.")


def _shortened(text: str) -> str:
    return drawable(text if len(text) <= TEXT_SHOWN else text[:TEXT_SHOWN] + "…")


def _greyed(row: pd.Series) -> list[str]:
    """Left-out rows are grey, besides saying so."""
    return [f"color: {palette.LEFT_OUT.colour}" if row["fate"] == "left out" else ""] * len(row)


def _rows(turn: Turn, page: Page, counter: TokenCounter) -> list[Row]:
    """The candidates of the turn, from the stored history, with the fate its record gives them."""
    plan = turn.plan
    if plan is None:
        return []
    rows = []
    if plan.system_tokens is not None:
        prompt = Message("system", turn.system_prompt)
        rows.append(Row(None, prompt, plan.system_tokens, True, "system"))
    if plan.summary is not None:
        rows.append(Row(None, plan.summary.message, plan.summary_tokens, True, "system"))
    stored = [*page.history[: plan.stored], user(turn.prompt)]
    sizes = counter.count_many(stored)
    for start, stop, included, reason in plan.runs:
        rows += [Row(at, stored[at], sizes[at], included, reason) for at in range(start, min(stop, len(stored)))]
    return rows


def _matches(page: Page, turn: Turn) -> bool | None:
    """Whether the request can be proved; None where it was never recorded."""
    settings = services.new_session_settings(turn.provider)
    try:
        return matches_what_was_sent(
            turn, page.history, services.provider_of(settings, services.key_for(turn.provider))
        )
    except ChatError:
        return None


def _explain_empty(page: Page) -> None:
    """What will be here, and how to get it."""
    if page.history:
        st.info(
            f"This conversation holds {numbers.plural(len(page.history), 'message')} that another service wrote, and no record "
            "of what was sent for them. Send a message in the chat: its turn appears here."
        )
    else:
        st.info("Nothing was sent yet. Send a message in the chat: what went out, and what was left out, appears here.")
    st.page_link(menu.MENU["chat"].path, label="To the chat", icon=menu.MENU["chat"].icon,
                 query_params={"session": page.session_id})  # fmt: skip
