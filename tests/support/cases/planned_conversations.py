"""Conversations as the app stores them: each turn planned on what was stored before it."""

from __future__ import annotations

from lib.chat_settings import ChatSettings
from lib.context import plan_context
from lib.context.candidates import Candidates
from lib.context.plan import ContextPlan
from lib.messages import Message, Usage, assistant, user
from lib.tokens import TokenCounter
from lib.tokens.ledger import TokenLedger
from lib.turns import PlanSummary, Turn
from tests.support.counters import WordCounter

WORDS = WordCounter()
SETTINGS = ChatSettings("openai", "m", "Be brief.", 200, 40, "oldest_first")


def talk(
    exchanges: int, settings: ChatSettings, counter: TokenCounter = WORDS
) -> tuple[list[Message], list[Turn], list[ContextPlan]]:
    """A conversation as the app has it: each turn planned on what was stored before it."""
    history: list[Message] = []
    turns: list[Turn] = []
    plans: list[ContextPlan] = []
    for number in range(1, exchanges + 1):
        prompt, reply = f"question {number} " * (number % 5 + 1), f"answer {number} " * (number % 7)
        candidates = Candidates.gather(settings.system_prompt, history, prompt, TokenLedger(counter))
        plans.append(plan_context(candidates, settings.window, settings.strategy))
        turns.append(
            Turn(
                str(number),
                prompt,
                reply,
                "complete",
                "openai",
                "m",
                settings.system_prompt,
                float(number),
                plan=PlanSummary.of(plans[-1]),
                usage=Usage(plans[-1].input_tokens, None, None, 7),
                number=number,
            )
        )
        history += [user(prompt), assistant(reply)]
    return history, turns, plans
