"""The tab for a new run: the prompts, the models, the check, what it takes, and the button that starts it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from lib.chat_settings import ChatSettings
from lib.errors import ChatError
from lib.messages import utf8_safe
from lib.prompt_sets import CheckKind, PromptSet
from lib.prompt_sets.estimate import Estimate, Share, estimate
from lib.tokens import provenance_label
from lib.ui.components import tables
from lib.ui.format import numbers
from lib.ui.format.text import as_label, as_option
from lib.ui.prompt_sets import carrying_out, models, source, state
from lib.ui.shell import error_box, services
from lib.ui.shell.error_box import attempt

HIGHEST_CAP = 100_000.0
"""USD."""
NAME_LENGTH = 100


def draw() -> None:
    """Everything from the prompts to the button. Nothing is sent before it is pressed."""
    st.markdown("**1. Prompts**")
    found = source.draw()
    if found is None:
        st.caption("No prompts yet. Choose a file or paste some; *Example* has ten short ones with their answers.")
    check = source.check()
    st.markdown("**2. Models**")
    judged = found is not None and _is_judged(found, check)
    models.draw(judged=judged)
    if found is None:
        return
    st.markdown("**3. What it takes**")
    judge = state.judge() if judged else None
    try:
        expected = estimate(found.prompts, models.chosen(), check, judge, services.counter_of, services.find_model)
        _start(found, check, judge, expected)
    except ChatError as error:
        error_box.show(error)


def _is_judged(found: PromptSet, check: CheckKind) -> bool:
    return any(one.kind == "judge" for each in found.prompts for one in each.checked_by(check))


def _start(found: PromptSet, check: CheckKind, judge: ChatSettings | None, expected: Estimate) -> None:
    """What it takes in a sentence and a table, the cap, and the button."""
    chosen = models.chosen()
    st.markdown(sentence(expected, len(chosen)))
    _shares(expected, chosen, judge)
    with st.container(horizontal=True, vertical_alignment="bottom", key="prompt_run_start"):
        st.number_input(
            "Spending cap (USD)",
            min_value=0.0,
            max_value=HIGHEST_CAP,
            value=None,
            step=0.5,
            format="%.2f",
            placeholder="no cap",
            key=state.CAP,
            width=200,
            help=(
                "The run stops before a request that might cross it. The judge counts too. Models without a known price"
                " are not counted. Your cap for a day holds as well."
            ),
        )
        st.text_input("Name", key=state.NAME, max_chars=NAME_LENGTH, placeholder=as_name(found.name), width=260)
        st.button(
            f"Send {numbers.plural(expected.requests, 'request')}",
            type="primary",
            icon=":material/play_arrow:",
            key="prompt_run",
            disabled=not expected.requests,
            on_click=_begin,
            args=(found, chosen, check, judge),
        )
    for words in warnings(expected, chosen):
        st.caption(f":material/info: {words}")


def sentence(expected: Estimate, models_asked: int) -> str:
    """Markdown. Example: "**150 requests to 3 models, 4,210 tokens in (counted), at most 900 out: at most $0.42.**" """
    who = numbers.who_counted(each.provenance for each in expected.shares)
    tokens = f"{sum(each.input for each in expected.shares):,} tokens in ({who})"
    most = f"at most {sum(each.output for each in expected.shares):,} out"
    requests = numbers.plural(expected.requests, "request")
    words = f"**{requests} to {numbers.plural(models_asked, 'model')}, {tokens}, {most}: {price(expected)}.**"
    return words.replace("$", "\\$")


def price(expected: Estimate) -> str:
    """The most that it costs, in words. Example: "free, on this machine"; "at most $0.42, and 50 requests whose price
    is not known"."""
    unknown = f"{numbers.plural(expected.unpriced, 'request')} whose price is not known"
    if expected.unpriced == expected.requests:
        return "price not known"
    known = f"at most {numbers.money(expected.most)}" if expected.most else "free"
    return f"{known}, and {unknown}" if expected.unpriced else known


def warnings(expected: Estimate, chosen: Sequence[ChatSettings]) -> list[str]:
    """What to know before it starts, as Markdown."""
    found = []
    for settings, share in zip(chosen, expected.models, strict=True):
        name = as_label(settings.model)
        if share.unfit:
            prompts = numbers.plural(share.unfit, "prompt")
            found.append(
                f"{prompts} would not fit the window of {name} ({settings.max_tokens:,} tokens), and get no answer."
            )
        if models.missing_key(settings):
            found.append(f"{name} has no API key yet: type one above.")
    unpriced = [as_label(each.model) for each, share in zip(chosen, expected.models, strict=True) if share.most is None]
    if unpriced:
        them = "it" if len(unpriced) == 1 else "them"
        price_of = numbers.listed(list(dict.fromkeys(unpriced)))
        found.append(f"The price of {price_of} is not known here, so a spending cap does not count {them}.")
    return found


def _shares(expected: Estimate, chosen: Sequence[ChatSettings], judge: ChatSettings | None) -> None:
    import pandas as pd

    named = [*chosen, *([judge] if judge is not None and expected.judge is not None else [])]
    rows = [
        [
            settings.model if settings is not judge else f"{settings.model} (the judge)",
            share.requests,
            share.input,
            f"{share.counter} ({provenance_label(share.provenance)})",
            share.output,
            _most(share),
        ]
        for settings, share in zip(named, expected.shares, strict=True)
    ]
    columns = ["model", "requests", "tokens in", "counted by", "tokens out, at most", "cost, at most"]
    tables.draw(pd.DataFrame(rows, columns=columns), "estimate", "What each model takes", title="For each model")


def _most(share: Share) -> str:
    return "price not known" if share.most is None else numbers.money(share.most) if share.most else "free"


def as_name(text: str) -> str:
    """A run's name from its file's. Example: "questions.csv" -> "questions" """
    return as_option(text.rpartition(".")[0] or text, NAME_LENGTH)


def _begin(found: PromptSet, chosen: Sequence[ChatSettings], check: CheckKind, judge: ChatSettings | None) -> None:
    """For the button's callback."""
    cap = typed_cap(state.CAP)
    name = utf8_safe(str(state.typed(state.NAME) or "").strip()) or as_name(found.name)

    def begin() -> None:
        state.show_run(carrying_out.start(name[:NAME_LENGTH], found, chosen, check, judge, cap))

    attempt(begin)


def typed_cap(key: str) -> Decimal | None:
    """USD in a field; None if it is empty. For callbacks."""
    value = state.typed(key)
    return None if value is None else Decimal(str(value))
