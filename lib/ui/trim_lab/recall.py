"""The tab "Does the model still know?": asks the model for facts under each strategy, and grades every reply.

Nothing is sent before the user has seen the number of requests and the highest cost, and the probe can be stopped at
any time. Nothing is stored with the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.lab.bakeoff import Contestant
from lib.lab.facts import Fact
from lib.lab.recall.plan import ADMIT_CLOSING, Estimate, Question, arms_of, estimate, plan_questions
from lib.lab.recall.run import Probe
from lib.tokens.ledger import TokenLedger
from lib.ui.chat import actions
from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.providers import metered
from lib.ui.shell import services
from lib.ui.shell.error_box import attempt
from lib.ui.trim_lab import contestants, facts, recall_grid, report_files, state
from lib.ui.trim_lab.conversation import Lab

MOST_REPEATS = 5
REFRESH_SECONDS = 0.7


def draw(lab: Lab) -> None:
    """Draw the facts, the strategies, the estimate and the button, then the grid of answers."""
    asked = facts.edit_questions(lab)
    picked = contestants.pick(lab, "probe")
    repeats, closing = _choices()
    if not asked or not picked:
        st.info("Choose at least one strategy, and at least one fact with a question and its answer.")
        return
    with st.spinner("Planning the questions", show_time=False):
        questions = _questions(lab, asked, picked, repeats, closing)
    probe = state.probe(lab.key)
    _start_button(lab, questions, running=probe is not None and not probe.done.is_set())
    if probe is None:
        return
    if not probe.done.is_set():
        _progress(probe)
    if probe.done.is_set():
        arms = [question.arm for question in probe.questions]
        recall_grid.draw(probe.results, arms, stopped=probe.cancelled, key="probe")
        report_files.download_probe(lab, probe)


def _choices() -> tuple[int, str]:
    """How often each question is asked, and the sentence after it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        repeats = st.number_input(
            "Times asked", 1, MOST_REPEATS, 1, key="probe_repeats", width=120, help="How often each question is asked."
        )
        admit = st.toggle(
            "Tell the model to admit what it does not know",
            key="probe_closing",
            help="Large models obey; small ones get confused.",
        )
    return int(repeats), ADMIT_CLOSING if admit else ""


def _questions(
    lab: Lab, asked: Sequence[Fact], picked: Sequence[Contestant], repeats: int, closing: str
) -> list[Question]:
    ledgers: dict[str, TokenLedger] = {}

    def ledger_for(settings: ChatSettings) -> TokenLedger:
        counter = lab.sizes_for(settings).counter
        return ledgers.setdefault(counter.name, TokenLedger(counter))

    return plan_questions(
        lab.history,
        asked,
        arms_of(picked, _window_of),
        ledger_for,
        services.find_model,
        repeats,
        closing=closing,
        marks=lab.marks,
    )


def _window_of(settings: ChatSettings) -> int | None:
    """Tokens that the model can hold; for the local model, what one slot of its server holds."""
    if settings.provider == "local":
        from lib.providers.llama.process import SLOT_TOKENS

        return SLOT_TOKENS
    model = services.find_model(settings.provider, settings.model)
    return model.context_window if model is not None else None


def _start_button(lab: Lab, questions: Sequence[Question], *, running: bool) -> None:
    """Draw what the probe would take, and the button that starts it."""
    expected = estimate(questions)
    provider = lab.settings.provider
    where = "this machine" if provider == "local" else as_markdown(services.endpoint(provider).label)
    st.markdown(f"{estimate_sentence(expected, questions)} Runs on {where}.")
    st.button(
        "Run probe",
        type="primary",
        icon=":material/play_arrow:",
        key="probe_start",
        disabled=running or not expected.requests,
        on_click=_start,
        args=(lab.key, tuple(questions), provider),
    )


def estimate_sentence(expected: Estimate, questions: Sequence[Question]) -> str:
    """Example: "**24 requests, 61,200 tokens (counted), at most $0.08.** 2 more would not fit and would not be
    sent."
    """
    who = questions[0].provenance if questions else "estimated"
    if expected.cost is None:
        price = numbers.NO_PRICE
    else:
        price = f"at most {numbers.money(expected.cost)}" if expected.cost else "free"
    unfit = f" {expected.unfit:,} more would not fit and would not be sent." if expected.unfit else ""
    return f"**{numbers.plural(expected.requests, 'request')}, {numbers.sized(expected.tokens, who)}, {price}.**{unfit}"


def _start(lab_key: str, questions: tuple[Question, ...], provider: str) -> None:
    """Start the probe. For callbacks: this browser session's key can be read here, but not in the probe's thread."""

    def start() -> None:
        probe = Probe(questions, metered.opened_by(actions.opener(provider)), services.find_model)
        state.set_probe(lab_key, probe)
        probe.start()

    attempt(start)


@st.fragment(run_every=REFRESH_SECONDS)
def _progress(probe: Probe) -> None:
    """Draw the progress and a Stop button; redraw the whole page when the probe is done."""
    done, total = probe.progress
    st.progress(done / max(1, total), f"{done} of {total} questions")
    st.button("Stop", icon=":material/stop_circle:", key="probe_stop", on_click=probe.cancel)
    if probe.done.is_set():
        st.rerun()
