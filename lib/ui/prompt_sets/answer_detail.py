"""One answer in full: the prompt, what was expected, what came and why it passed or not, and what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.context.marks import Marks
from lib.errors import ChatError, describe
from lib.planner import plan_next
from lib.prompt_sets import CHECK_WORDS, Check, Prompt
from lib.prompt_sets.runs import OUTCOME_WORDS, Answer
from lib.providers import ChatRequest, SentBody
from lib.tokens import ESTIMATE
from lib.tokens.ledger import TokenLedger
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_markdown, cut
from lib.ui.prompt_sets.carrying_out import Opened
from lib.ui.shell import services

MARKS = {"passed": ":green-badge[passed]", "failed": ":red-badge[failed]", "error": ":orange-badge[no answer]"}


def draw(found: Opened, place: tuple[int, int]) -> None:
    """The answer at this place."""
    answer, prompt = found.answers[place], found.prompts[place[0]]
    settings, run = found.run.models[place[1]], found.run
    with st.container(border=True, key="answer_detail"):
        mark = MARKS.get(answer.outcome, f":gray-badge[{OUTCOME_WORDS[answer.outcome]}]")
        st.markdown(f"{mark} **{as_label(run.labels[place[1]], 100)}** on prompt {as_label(prompt.id)}")
        st.caption(facts(answer))
        left, right = st.columns(2)
        with left:
            _text("Prompt", prompt.text)
            _checks(prompt.checked_by(run.check))
        with right:
            if answer.error is not None:
                st.warning(as_markdown(" ".join(describe(answer.error))))
            else:
                _text("Answer", answer.text)
            if answer.reason:
                judged = ":violet-badge[a model’s judgement] " if answer.judged else ""
                st.markdown(f"{judged}{as_markdown(answer.reason)}")
        panel = st.expander("What was sent", icon=":material/data_object:", key="answer_sent", on_change="rerun")
        if panel.open:
            with panel:
                _sent(settings, prompt, answer)


def facts(answer: Answer) -> str:
    """Markdown. Example: "412 tokens in, 38 out (billed) · $0.0042 · 1.2 s, first word after 0.4 s · 2 attempts" """
    usage = answer.usage
    if usage.input_tokens is not None:
        output = numbers.NOT_REPORTED if usage.output_tokens is None else f"{usage.output_tokens:,}"
        tokens = f"{usage.input_tokens:,} tokens in, {output} out (billed)"
    elif answer.tokens is not None:
        tokens = f"{numbers.sized(answer.tokens, answer.provenance)} in, output {numbers.NOT_REPORTED}"
    else:
        tokens = "tokens not counted"
    parts = [
        tokens,
        "" if answer.error is not None else "free" if answer.cost == 0 else numbers.money(answer.cost),
        "" if answer.seconds is None else numbers.duration(answer.seconds),
        "" if answer.first_seconds is None else f"first word after {numbers.duration(answer.first_seconds)}",
        numbers.plural(answer.attempts, "attempt") if answer.attempts > 1 else "",
        "cut off at the longest reply" if answer.stop_reason == "length" else "",
        f"the judge cost {numbers.money(answer.judge_cost)}" if answer.judged else "",
    ]
    return " · ".join(part for part in parts if part).replace("$", "\\$")


def _text(title: str, text: str) -> None:
    shown, missing = cut(text)
    st.markdown(f"**{title}**")
    st.code(shown, language=None, wrap_lines=True, height=260 if len(shown) > 600 else "content")
    if missing:
        st.caption(f"The first {len(shown):,} characters; the files have {missing:,} more.")


def _checks(checks: Sequence[Check]) -> None:
    for check in checks:
        st.markdown(f"**Passes if** it {CHECK_WORDS[check.kind]}")
        if check.value:
            st.code(cut(check.value, 2_000)[0], language=None, wrap_lines=True)
    if not checks:
        st.caption("Nothing is expected of the answer, so it was not checked.")


def _sent(settings: ChatSettings, prompt: Prompt, answer: Answer) -> None:
    try:
        body = body_of(settings, prompt)
    except ChatError as error:
        st.caption(as_markdown(f"{error.what} {error.next_step}"))
        return
    if answer.sha256:
        same = body.sha256 == answer.sha256
        st.caption(
            ":material/check_circle: Rebuilt from what is stored; its SHA-256 is that of the request that was sent."
            if same
            else ":material/warning: Rebuilt from what is stored; the request that was sent had another SHA-256."
        )
    st.json(dict(body.body), expanded=True)


def body_of(settings: ChatSettings, prompt: Prompt) -> SentBody:
    """The request for a prompt, without a key. Sends nothing. Raises ChatError."""
    asked = replace(settings, system_prompt=prompt.system or settings.system_prompt)
    plan = plan_next(asked, Marks(), (), prompt.text, TokenLedger(ESTIMATE))
    request = ChatRequest(asked.model, tuple(plan.included), asked.reply_tokens, asked.generation)
    return services.provider_of(asked, None).prepare(request)
