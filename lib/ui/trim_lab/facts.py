"""Widgets that pick facts of a conversation: messages to follow, and questions to ask with their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.lab.facts import GAP, Fact, suggest_facts
from lib.ui.trim_lab import state
from lib.ui.trim_lab.conversation import Lab

FOLLOWED = 3
"""Suggested messages that are followed at first."""
TICKED = 4
"""Suggested questions that are ticked at first."""


def pick_messages(lab: Lab) -> list[int]:
    """Let the user pick messages to follow; returns stored indexes. Every tab has the same ones."""
    key = state.seed_facts(lab.key, lambda: _suggested_messages(lab), len(lab.history))
    return st.multiselect(
        "Facts to follow",
        range(len(lab.history)),
        key=key,
        format_func=lab.label_of,
        wrap=True,
        on_change=state.keep_facts,
        args=(lab.key,),
        help="Messages that a later answer needs. The suggested ones are picked; add or remove any.",
    )


def _suggested_messages(lab: Lab) -> list[int]:
    return list(dict.fromkeys(fact.index for fact in suggest_facts(lab.history)))[:FOLLOWED]


def edit_questions(lab: Lab) -> list[Fact]:
    """Let the user edit the suggested questions and answers; returns the ticked ones."""
    import pandas as pd

    suggestions = suggest_facts(lab.history)
    plain_first = sorted(suggestions, key=lambda fact: GAP in fact.question)  # small models understand plain questions
    ticked = plain_first[:TICKED]
    suggested = pd.DataFrame(
        [[fact.index + 1, fact.question, fact.answer, fact in ticked] for fact in suggestions],
        columns=["message", "question", "answer", "ask"],
    ).astype({"message": "Int64", "question": "str", "answer": "str", "ask": "bool"})
    st.caption("Facts found in the conversation. Change a question or an answer, add rows, tick what to ask.")
    edited = st.data_editor(
        suggested,
        key=f"probe_facts:{lab.key}",
        num_rows="dynamic",
        hide_index=True,
        height="content",
        column_config={
            "message": st.column_config.NumberColumn(
                "message", min_value=1, max_value=max(1, len(lab.history)), width=80, help="Where it was said"
            ),
            "question": st.column_config.TextColumn("question", width="large", required=True),
            "answer": st.column_config.TextColumn("the answer contains", required=True),
            "ask": st.column_config.CheckboxColumn("ask", width=60, default=True),
        },
    )
    return facts_of(edited.to_dict("records"), lab)


def facts_of(rows: Sequence[Mapping[Any, Any]], lab: Lab) -> list[Fact]:
    """The ticked rows that have a question, an answer and the number of a message."""
    facts = []
    for row in rows:
        question, answer, number = str(row["question"] or "").strip(), str(row["answer"] or "").strip(), row["message"]
        # a number that is missing is NaN, which does not equal itself
        stored = isinstance(number, int | float) and number == number and 1 <= int(number) <= len(lab.history)
        if row["ask"] and question and answer and stored:
            index = int(number) - 1
            facts.append(Fact(index, lab.history[index].text, question, answer))
    return list(dict.fromkeys(facts))
