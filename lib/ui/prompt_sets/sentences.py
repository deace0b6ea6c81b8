"""What a run says about itself, in words. Everything returned is Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lib.prompt_sets import CHECK_WORDS, CheckKind
from lib.prompt_sets.ranking import Ranking, Standing, money
from lib.prompt_sets.runs import Run
from lib.ui.format import numbers
from lib.ui.format.moments import moment
from lib.ui.format.text import as_label
from lib.ui.prompt_sets.carrying_out import Opened

PASSES: dict[CheckKind, str] = {
    **{kind: f"passes if it {words}" for kind, words in CHECK_WORDS.items()},
    "judge": "is judged by a model",
}


def about(run: Run) -> str:
    """Example: "50 prompts of questions.csv on 3 models · 27 Nov 2026, 14:02 · cap $1.00 · judged by gpt-6-luna" """
    parts = [
        f"{numbers.plural(run.prompts, 'prompt')} of {as_label(run.set_name, 80)}"
        f" on {numbers.plural(len(run.models), 'model')}",
        f"an answer {PASSES[run.check]}, where a prompt has no check of its own",
        moment(run.created_at),
        f"cap {numbers.money(run.cap)}" if run.cap is not None else "no spending cap",
    ]
    if run.judge is not None:
        parts.append(f"judged by {as_label(run.judge.model)}")
    return " · ".join(parts).replace("$", "\\$")


def progress(found: Opened) -> str:
    """Example: "61 of 150 answered, 2 failed · $0.14 so far · waiting 12 s for a rate limit" """
    answers = found.answers.values()
    failed = sum(each.error is not None for each in answers)
    settled = sum(each.is_settled for each in answers)
    parts = [f"{settled:,} of {found.run.total:,} answered" + (f", {failed:,} failed" if failed else "")]
    spent = sum((each.cost or Decimal(0)) + (each.judge_cost or Decimal(0)) for each in answers)
    if spent:
        parts.append(f"{numbers.money(Decimal(spent))} so far")
    waits = found.runner.progress.waits if found.runner is not None else 0.0
    if waits >= 1:
        parts.append(f"waiting {waits:.0f} s for a rate limit")
    return " · ".join(parts).replace("$", "\\$")


def ranked(ranking: Ranking, labels: Sequence[str]) -> str:
    """Who passes most, with the interval, and whom these prompts do not tell apart from it.

    Example: "**gpt-6-luna passes most: 43 of 50** (86 %, with 95 % confidence between 74 % and 93 %). These prompts do
    not tell it and mistral-9 apart (39 of 50; they differ on 6). llama-5 passes fewer (20 of 50, p = 0.0001)."
    """
    judged = [each for each in ranking.standings if each.judged]
    if not judged:
        return "**Nothing was checked, so there is no ranking.** Each answer is below."
    best = judged[0]
    name = as_label(labels[best.model])
    if len(ranking.standings) == 1:
        return f"**{name} passes {_of(best)}** ({_between(best)})."
    if not best.passed:
        return f"**No model passes any of the {best.judged:,} prompts that were checked.**"
    words = [f"**{name} passes most: {_of(best)}** ({_between(best)})."]
    for standing, duel, apart in zip(ranking.standings[1:], ranking.duels, ranking.apart, strict=True):
        other = as_label(labels[standing.model])
        if not standing.judged:
            words.append(f"{other} has no checked answer.")
        elif apart:
            words.append(f"{other} passes fewer: {_of(standing)} (p = {p_value(duel.p)}).")
        else:
            differ = duel.first_only + duel.second_only
            words.append(
                f"{name} and {other} cannot be told apart by these prompts: {_of(standing)}, and they differ on"
                f" {differ:,} of {duel.both:,}."
            )
    return " ".join(words)


def p_value(p: float) -> str:
    """Example: p_value(0.0312) -> "0.031"; p_value(0.00001) -> "under 0.0001" """
    return "under 0.0001" if p < 0.0001 else f"{p:.2g}"


def cost(standings: Sequence[Standing]) -> str:
    """What the run cost. Example: "The answers cost $0.14; judging them cost $0.03, which is apart." """
    answers = money([each.cost for each in standings if each.answered])
    judged = [each.judge_cost for each in standings if each.judge_cost is not None]
    if answers is None:
        words = "What the answers cost is not known for every model."
    else:
        words = f"The answers cost {numbers.money(answers)}." if answers else "The answers were free."
    if judged:
        words += f" Judging them cost {numbers.money(sum(judged, Decimal(0)))}, which is not part of that."
    return words.replace("$", "\\$")


def _of(standing: Standing) -> str:
    return f"{standing.passed:,} of {standing.judged:,}"


def _between(standing: Standing) -> str:
    low, high = standing.interval
    rate = numbers.percent(standing.passed, standing.judged)
    return f"{rate}, with 95 % confidence between {numbers.percent(low, 1)} and {numbers.percent(high, 1)}"
