"""Turns a prompt and a model into an answer: asks, checks, and has the answer judged where that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from lib.errors import ChatError, MissingKey, ProviderError, Retired, SpendingCapReached, WrongKey
from lib.messages import utf8_safe
from lib.pricing.costs import total_cost
from lib.prompt_sets import Prompt
from lib.prompt_sets.checks import run_checks
from lib.prompt_sets.judge import judge_messages, read_verdict
from lib.prompt_sets.running.asking import Asked, Asker
from lib.prompt_sets.runs import LONGEST_ANSWER, Answer, Run
from lib.spending.meter import FindModel

HOPELESS = (MissingKey, WrongKey, Retired)
"""After one of these an endpoint is not asked again in this run."""
NO_JUDGE = "Not judged: no judge was chosen for this run."


class Answering:
    """`askers` are in the order of the run's models."""

    def __init__(
        self, run: Run, prompts: Sequence[Prompt], askers: Sequence[Asker], judge: Asker | None, find: FindModel
    ) -> None:
        self._run = run
        self._prompts = prompts
        self._askers = askers
        self._judge = judge
        self._find = find

    def ask(self, place: tuple[int, int]) -> Answer:
        """Ask, and make the checks that need no model. Raises ChatError or Cancelled."""
        prompt, asker = self._prompts[place[0]], self._askers[place[1]]
        plan = asker.plan(prompt.system, prompt.text)
        asked = asker.ask(plan.included)
        text = asked.reply.text
        if not text.strip():
            raise ProviderError(
                f"The reply came back empty (the provider's reason: {asked.reply.stop_reason or 'not reported'}).",
                next_step="Allow longer replies: hidden reasoning may have used them up.",
            )
        counter = asker.parts[1]
        answer = Answer(
            *place,
            text=utf8_safe(text)[:LONGEST_ANSWER],
            usage=asked.reply.usage,
            seconds=asked.seconds,
            first_seconds=asked.first_seconds,
            cost=self._price(asker, asked),
            tokens=plan.input_tokens,
            counter=counter.name,
            provenance=counter.provenance,
            sha256=asked.sent.sha256,
            stop_reason=asked.reply.stop_reason or "",
            attempts=asked.attempts,
        )
        return self._checked(answer)

    def judged(self, answer: Answer) -> Answer:
        """The answer with the judge's verdict, or with why there is none.

        Without a judge, and without a check for one, it is as it was checked. Raises SpendingCapReached, Cancelled, or
        what makes the judge's endpoint hopeless.
        """
        answer = self._checked(answer)
        if answer.checked:
            return answer
        prompt = self._prompts[answer.prompt]
        if self._judge is None:
            return replace(answer, checked=True, reason=NO_JUDGE)
        name = self._judge.settings.model or self._judge.settings.provider
        checks = prompt.checked_by(self._run.check)
        try:
            asked = self._judge.ask(judge_messages(prompt, checks, answer.text))
        except (SpendingCapReached, *HOPELESS):
            raise
        except ChatError as error:
            return replace(answer, checked=True, reason=f"Not judged: {error.what}")
        verdict = read_verdict(asked.reply.text, name)
        return replace(
            answer,
            checked=True,
            passed=verdict.passed,
            reason=verdict.reason,
            judged=verdict.passed is not None,
            judge_usage=asked.reply.usage,
            judge_cost=self._price(self._judge, asked),
        )

    def _checked(self, answer: Answer) -> Answer:
        """With the verdict of the checks that need no model. One that still has to be judged is not `checked`."""
        checks = self._prompts[answer.prompt].checked_by(self._run.check)
        verdict = run_checks(checks, answer.text)
        if verdict is not None and not verdict.passed:
            return replace(answer, checked=True, passed=verdict.passed, reason=verdict.reason)
        if any(check.kind == "judge" for check in checks):
            return replace(answer, checked=False, passed=None, reason="")
        passed, reason = (None, "") if verdict is None else (verdict.passed, verdict.reason)
        return replace(answer, checked=True, passed=passed, reason=reason)

    def _price(self, asker: Asker, asked: Asked) -> Decimal | None:
        model = self._find(asker.settings.provider, asker.settings.model)
        return total_cost(model, asked.reply.usage, asked.started_at)
