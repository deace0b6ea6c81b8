"""The recall probe's tab: ask the live model for facts under each strategy, score every answer, and see what it took.

The rule: nothing is sent before a person has seen how many requests it takes and what they may cost; it can be stopped at any
time, and nothing of it is stored with the conversation.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.lab.bakeoff import Contestant
from lib.lab.facts import GAP, Fact, suggested
from lib.lab.recall.grading import VERDICT_TEXT
from lib.lab.recall.plan import ASKING, Ask, Estimate, arms, estimate, planned
from lib.lab.recall.run import Answer, Probe
from lib.tokens.ledger import TokenLedger
from lib.ui.chat import actions
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown, drawable
from lib.ui.shell import services
from lib.ui.trim_lab import bakeoff, report_files
from lib.ui.trim_lab.conversation import Lab

MARKS = {"recalled": "✓ recalled", "admitted": "○ admitted", "made_up": "✗ made up", None: "! failed"}
REPEATS = 5
ASKED = 4
"""Suggestions that are ticked at first."""


def draw(lab: Lab) -> None:
    """Facts, strategies, the estimate and the button; then the grid, filling up."""
    facts = pick(lab)
    entries = bakeoff.pick_entries(lab, "probe")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        repeats = st.number_input(
            "Ask each", 1, REPEATS, 1, key="probe_repeats", width=120, help="How often each question is asked."
        )
        closing = st.toggle(
            "Tell the model to admit what it does not know",
            key="probe_closing",
            help="Large models obey; small ones lose the thread.",
        )
    if not facts or not entries:
        st.info("Choose at least one strategy, and at least one fact with a question and its answer.")
        return
    with st.spinner("Planning the questions", show_time=False):
        asks = _asks(lab, facts, entries, int(repeats), ASKING if closing else "")
    _start(lab, asks)
    probe = services.probes().get(st.session_state.get(f"probe:{lab.key}", ""))
    if probe is not None:
        _follow(probe)
        if probe.done.is_set():
            shown(probe.results, cancelled=probe.cancelled, key="probe")
            report_files.download_probe(lab, probe)


def pick(lab: Lab) -> list[Fact]:
    """Facts with their questions, changed as a person likes."""
    import pandas as pd

    key = f"probe_facts:{lab.key}"
    known = suggested(lab.history)
    asked = sorted(known, key=lambda fact: GAP in fact.question)[
        :ASKED
    ]  # a plain question is understood by small models, too
    start = pd.DataFrame(
        [[fact.index + 1, fact.question, fact.answer, fact in asked] for fact in known],
        columns=["message", "question", "answer", "ask"],
    ).astype({"message": "Int64", "question": "str", "answer": "str", "ask": "bool"})
    st.caption("Facts found in the conversation. Change a question or an answer, add rows, tick what to ask.")
    edited = st.data_editor(
        start,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        height="content",
        column_config={
            "message": st.column_config.NumberColumn(
                "message", min_value=1, max_value=max(1, len(lab.history)), width=80, help="Where it was said"
            ),
            "question": st.column_config.TextColumn("question", width="large", required=True),
            "answer": st.column_config.TextColumn("the answer holds", required=True),
            "ask": st.column_config.CheckboxColumn("ask", width=60, default=True),
        },
    )
    return facts_of(edited.to_dict("records"), lab)


def facts_of(rows: Sequence[Mapping[Any, Any]], lab: Lab) -> list[Fact]:
    """The ticked rows that can be asked."""
    found = []
    for row in rows:
        question, answer, at = str(row["question"] or "").strip(), str(row["answer"] or "").strip(), row["message"]
        known = isinstance(at, int | float) and at == at and 1 <= int(at) <= len(lab.history)
        if row["ask"] and question and answer and known:
            index = int(at) - 1
            found.append(Fact(index, lab.history[index].text, question, answer))
    return list(dict.fromkeys(found))


def _asks(lab: Lab, facts: Sequence[Fact], entries: Sequence[Contestant], repeats: int, closing: str) -> list[Ask]:
    ledgers: dict[str, TokenLedger] = {}

    def ledger_for(settings: ChatSettings) -> TokenLedger:
        counter = lab.sizes_for(settings).counter
        return ledgers.setdefault(counter.name, TokenLedger(counter))

    chosen = arms(entries, _window_of)
    summary = None if lab.example else lab.page.about.summary
    return planned(
        lab.history,
        facts,
        chosen,
        ledger_for,
        services.find_model,
        repeats,
        closing=closing,
        muted=lab.muted,
        pinned=lab.pinned,
        summary=summary,
    )


def _window_of(settings: ChatSettings) -> int | None:
    """What the model can hold: the local one, what a slot of its server holds."""
    if settings.provider == "local":
        from lib.providers.llama.process import SLOT_TOKENS

        return SLOT_TOKENS
    model = services.find_model(settings.provider, settings.model)
    return model.context_window if model is not None else None


def _start(lab: Lab, asks: Sequence[Ask]) -> None:
    """What it would come to, and the button."""
    expected = estimate(asks)
    st.markdown(f"{sentence(expected, asks)} They go to {as_markdown(services.endpoint(lab.settings.provider).label)}.")
    running = services.probes().get(st.session_state.get(f"probe:{lab.key}", ""))
    busy = running is not None and not running.done.is_set()
    st.button(
        "Ask them",
        type="primary",
        icon=":material/play_arrow:",
        key="probe_start",
        disabled=busy or not expected.requests,
        on_click=_go,
        args=(lab.key, tuple(asks), lab.settings.provider),
    )


def sentence(expected: Estimate, asks: Sequence[Ask]) -> str:
    """Example: "**24 requests, 61,200 tokens (counted), at most $0.08.** 2 more do not fit and are not sent." """
    who = asks[0].provenance if asks else "estimated"
    price = (
        "no price known"
        if expected.cost is None
        else f"at most {numbers.money(expected.cost)}"
        if expected.cost
        else "free on this machine"
    )
    unfit = f" {expected.unfit:,} more would not fit, and would not be sent." if expected.unfit else ""
    return f"**{numbers.plural(expected.requests, 'request')}, {numbers.sized(expected.tokens, who)}, {price}.**{unfit}"


def _go(key: str, asks: tuple[Ask, ...], provider: str) -> None:
    """Begin. For callbacks: keys are taken here."""
    probe = Probe(asks, actions.opener(provider), services.find_model)
    name = uuid.uuid4().hex
    services.probes()[name] = probe
    st.session_state[f"probe:{key}"] = name
    probe.start()


@st.fragment(run_every=0.7)
def _bar(probe: Probe) -> None:
    """How far it is, and Stop; draws the whole page when it is over."""
    done, total = probe.progress
    st.progress(done / max(1, total), f"{done} of {total} questions")
    st.button("Stop", icon=":material/stop_circle:", key="probe_stop", on_click=probe.cancel)
    if probe.done.is_set():
        st.rerun()


def _follow(probe: Probe) -> None:
    if not probe.done.is_set():
        _bar(probe)


def shown(answers: Sequence[Answer], *, cancelled: bool, key: str) -> None:
    """The takeaway, the grid, and every answer one click away."""
    import pandas as pd

    if not answers:
        st.info("It was stopped before the first answer came.")
        return
    st.markdown(takeaway(answers) + (" It was stopped before all were asked." if cancelled else ""))
    arms_asked = list(dict.fromkeys(answer.arm for answer in answers))
    asked = list(dict.fromkeys(answer.fact for answer in answers))
    rows = [[fact.question, *(_cell(answers, fact, arm) for arm in arms_asked)] for fact in asked]
    rows.append(["tokens read, as reported", *(_spent(answers, arm) for arm in arms_asked)])
    picked = st.dataframe(
        pd.DataFrame(rows, columns=["question", *arms_asked]),
        key=f"{key}_grid",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-cell",
        alt="For each question and strategy: recalled, admitted or made up, and how often",
    )
    st.caption(
        "✓ the answer is in the reply · ○ it says that it does not know · ✗ it claims something else. Click a cell to"
        " read the answers."
    )
    cell = next(iter(picked.selection.cells), None)
    if cell is not None and cell[0] < len(asked) and cell[1] in arms_asked:
        _read([answer for answer in answers if answer.fact == asked[cell[0]] and answer.arm == cell[1]])


def takeaway(answers: Sequence[Answer]) -> str:
    """Example: "**Best: “Leave out the middle”, 5 of 6 recalled.** With everything sent it recalled 6 of 6, with nothing 0 of 6." """
    by_arm: dict[str, list[Answer]] = {}
    for answer in answers:
        by_arm.setdefault(answer.arm, []).append(answer)

    def recalled(arm: str) -> int:
        return sum(answer.verdict == "recalled" for answer in by_arm[arm])

    controls = [arm for arm in by_arm if arm.startswith(("everything", "nothing"))]
    tried = [arm for arm in by_arm if arm not in controls]
    said = ""
    if tried:
        best = max(tried, key=recalled)
        said = f"**Best: “{best}”, {recalled(best)} of {len(by_arm[best])} recalled.**"
    told = [f"with {arm} sent {recalled(arm)} of {len(by_arm[arm])}" for arm in controls]
    if told:
        said += f" For comparison: {', '.join(told)}."
    made_up = sum(answer.verdict == "made_up" for answer in answers)
    return f"{said} {numbers.plural(made_up, 'answer')} made something up."


def _cell(answers: Sequence[Answer], fact: Fact, arm: str) -> str:
    """Example: "✓ recalled", or "✓ 2 ○ 1" where it was asked more often."""
    mine = [answer for answer in answers if answer.fact == fact and answer.arm == arm]
    if not mine:
        return "not asked"
    held = "" if any(answer.held for answer in mine) else " (not sent)"
    if len(mine) == 1:
        return MARKS[mine[0].verdict] + held
    counts = {mark: sum(answer.verdict == verdict for answer in mine) for verdict, mark in MARKS.items()}
    return " ".join(f"{mark.split()[0]} {count}" for mark, count in counts.items() if count) + held


def _spent(answers: Sequence[Answer], arm: str) -> str:
    mine = [answer for answer in answers if answer.arm == arm]
    read = [answer.usage.input_tokens for answer in mine]
    tokens = (
        f"{sum(count or 0 for count in read):,}" if all(count is not None for count in read) else numbers.NOT_REPORTED
    )
    costs = [answer.cost for answer in mine if answer.cost is not None]
    total = sum(costs[1:], costs[0]) if len(costs) == len(mine) and costs else None
    return tokens if not total else f"{tokens}, {numbers.money(total)}"


def _read(answers: Sequence[Answer]) -> None:
    """The answers behind one cell."""
    for answer in answers:
        if answer.error is not None:
            st.warning(as_markdown(str(answer.error.get("what", ""))), icon=":material/error:")
            continue
        assert answer.verdict is not None
        went = "The fact was in the request." if answer.held else "The fact was not in the request."
        st.caption(f"{VERDICT_TEXT[answer.verdict]} {went} Expected: `{answer.fact.answer.replace('`', '')}`")
        st.code(drawable(answer.reply), language=None, wrap_lines=True)
