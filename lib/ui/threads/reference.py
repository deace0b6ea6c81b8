"""What to know about each way of keeping a history: one table, every statement with its source and date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from lib.server_history import Approach
from lib.server_history.reference import FACTS
from lib.ui.components import tables
from lib.ui.threads import places, state

if TYPE_CHECKING:
    import pandas as pd

QUESTIONS = {
    "location": "Where it lives",
    "retention": "For how long",
    "who_trims": "Who trims",
    "trimming_visible": "Is trimming visible",
    "listing": "Can it be listed",
    "edit": "Can it be edited",
    "export": "Can it be exported",
    "delete": "Can it be deleted",
    "overflow": "When it overflows",
    "portability": "Portability",
    "best_for": "Best for",
}
"""The label of every field of Facts."""
FIRST_SHOWN: tuple[Approach, ...] = ("manual", "conversations", "responses")
"""As many ways as can be read side by side."""
QUESTIONS_IN_LEDGER = ("location", "retention", "who_trims", "trimming_visible", "delete", "overflow")


def draw() -> None:
    """The chosen ways side by side, question by question, with their sources below; then all of them to download."""
    st.markdown(
        "**OpenAI and Azure switched the Assistants API off on 26 August 2026.** Conversations and chains of responses"
        " replaced it; Claude has message threads, in beta."
    )
    chosen = st.pills(
        "Which ways",
        list(FACTS),
        selection_mode="multi",
        wrap=True,
        default=list(FIRST_SHOWN),
        key=state.REFERENCE_APPROACHES,
        format_func=places.NAMES.__getitem__,
    )
    shown = [approach for approach in FACTS if approach in chosen]
    if shown:
        sources = _sources(shown)
        with st.container(key="threads_reference"):
            st.table(comparison_table(shown, sources), width="stretch")
        numbered = "  \n".join(f"[{number}] {source}" for source, number in sources.items())
        st.caption(f"Sources, read on {_days(shown)}:  \n{numbered}")
    tables.draw(
        all_facts(),
        "reference",
        "Every way of keeping a history, question by question, with sources",
        title="Every statement with its source, as a file",
    )


def comparison_table(approaches: Sequence[Approach], sources: Mapping[str, int]) -> pd.DataFrame:
    """One row per question, one column per approach. The number behind each statement is that of its source."""
    import pandas as pd

    columns = {
        places.NAMES[approach]: [
            f"{fact.says} [{sources[fact.source]}]" for fact in (getattr(FACTS[approach], field) for field in QUESTIONS)
        ]
        for approach in approaches
    }
    return pd.DataFrame(columns, index=list(QUESTIONS.values()))


def _sources(approaches: Sequence[Approach]) -> dict[str, int]:
    """The sources of these approaches, numbered from 1 in the order in which they are named."""
    named = [getattr(FACTS[approach], field).source for field in QUESTIONS for approach in approaches]
    return {source: number for number, source in enumerate(dict.fromkeys(named), start=1)}


def _days(approaches: Sequence[Approach]) -> str:
    """The days on which the sources were read."""
    days = {getattr(FACTS[approach], field).read_on for field in QUESTIONS for approach in approaches}
    return ", ".join(f"{day.day} {day:%B %Y}" for day in map(date.fromisoformat, sorted(days)))


def facts_side_by_side(approaches: Sequence[Approach]) -> pd.DataFrame:
    """One row per question that matters for the ledger, one column per approach."""
    import pandas as pd

    rows = [
        [QUESTIONS[field], *(getattr(FACTS[approach], field).says for approach in approaches)]
        for field in QUESTIONS_IN_LEDGER
    ]
    return pd.DataFrame(rows, columns=["question", *(FACTS[approach].name for approach in approaches)])


def all_facts() -> pd.DataFrame:
    """One row per question and approach, with source and date."""
    import pandas as pd

    rows = [
        [facts.name, question, getattr(facts, field).says, getattr(facts, field).source, getattr(facts, field).read_on]
        for field, question in QUESTIONS.items()
        for facts in FACTS.values()
    ]
    return pd.DataFrame(rows, columns=["way", "question", "answer", "source", "read on"])
