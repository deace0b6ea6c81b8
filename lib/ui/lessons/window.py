"""Shows what each request of a chat held: the window, and every stored message with whether it was sent."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.lab.answer_match import contains
from lib.lessons.outcomes import Outcome
from lib.messages import user
from lib.turns import PlanSummary, Turn
from lib.ui.components import palette, window_strip
from lib.ui.components.window_strip import Fill
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.lessons import state


def draw(outcomes: Sequence[Outcome]) -> None:
    """The first arm, one request at a time."""
    outcome = outcomes[0]
    if not outcome.turns:
        st.caption("The first answer is being written …")
        return
    last = len(outcome.turns)
    number = last if outcome.live is not None or last == 1 else _slider(outcome)
    turn = outcome.turns[number - 1]
    st.markdown(sentence(outcome, turn, number))
    if turn.plan is not None:
        window_strip.draw(_fill(turn.plan), tall=True)
        _messages(outcome, turn, turn.plan)


def _slider(outcome: Outcome) -> int:
    last = len(outcome.turns)
    return st.slider("Which request", 1, last, last, key=state.turn_key(last), format="turn %d")


def sentence(outcome: Outcome, turn: Turn, number: int) -> str:
    """Markdown. Example: "**Turn 7: 5 of 13 messages were sent,** 148 of 200 tokens (counted). The message with “7421”
    was not." """
    plan = turn.plan
    if plan is None:
        return f"**Turn {number}**"
    stored = plan.stored + 1
    words = (
        f"**Turn {number}: {stored - plan.left_out:,} of {numbers.plural(stored, 'message')} were sent,**"
        f" {plan.input_tokens:,} of {numbers.sized(plan.max_tokens, plan.provenance)}."
    )
    answer = outcome.arm.answer
    if not answer:
        return words
    candidates = [*outcome.messages[: plan.stored], user(turn.prompt)]
    has = [at for at, message in enumerate(candidates) if contains(message.text, answer)]
    sent = any(plan_sends(plan, at) for at in has)
    fact = as_markdown(answer)
    return f"{words} “{fact}” is {'in the request' if sent else 'in none of the messages that were sent'}."


def plan_sends(plan: PlanSummary, at: int) -> bool:
    """Whether a plan sends the message at this stored index."""
    return any(included for start, stop, included, _ in plan.runs if start <= at < stop)


def _fill(plan: PlanSummary) -> Fill:
    """The strip of a request: the system prompt, the messages, the room for the reply, and what is free."""
    system = (plan.system_tokens or 0) + plan.template_tokens
    free = max(0, plan.max_tokens - plan.input_tokens - plan.reserved_for_reply)
    return Fill(
        plan.max_tokens,
        (
            (palette.SYSTEM, system),
            (palette.HISTORY, plan.input_tokens - system),
            (palette.RESERVED, plan.reserved_for_reply),
            (palette.FREE, free),
        ),
        0,
    )


def _messages(outcome: Outcome, turn: Turn, plan: PlanSummary) -> None:
    """Every message that was stored by then, and the reply."""
    answer = outcome.arm.answer
    for at, message in enumerate([*outcome.messages[: plan.stored], user(turn.prompt)]):
        text = as_markdown(" ".join(message.text.split())[:300])
        mark = " :material/key:" if answer and contains(message.text, answer) else ""
        if plan_sends(plan, at):
            st.markdown(f":gray[{message.role}:] {text}{mark}")
        else:
            st.markdown(f":gray[:material/visibility_off: not sent · {message.role}: {text}]{mark}")
    st.markdown(f":violet[:material/reply: reply:] {as_markdown(turn.reply)}")
