"""Makes the smallest repair of a request that its provider would refuse.

Only refused breaches are repaired, so a request that the provider accepts comes back unchanged, and repairing twice
changes nothing more. The newest user message is never left out. A repair is a suggestion for the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.messages import Message
from lib.request_rules.check import Breach, refusals
from lib.request_rules.fixes import FIXES, Change, TrackedMessage
from lib.request_rules.rules import RuleProvider
from lib.tool_calls import opens_exchange


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired request, the changes in order, and what the provider would still refuse.

    Some breaches remain because leaving out messages cannot cure them: nothing to answer, or an empty newest message.
    """

    messages: list[Message]
    changes: tuple[Change, ...]
    remaining: tuple[Breach, ...]


def repaired(provider: RuleProvider, messages: Sequence[Message]) -> Repair:
    """The smallest change after which the provider accepts the shape of these messages.

    Example: repaired("openai", [user("q"), Message("tool", "42", {"tool_call_id": "c1"})]).messages -> [user("q")]
    """
    tracked = [TrackedMessage(message, (index,)) for index, message in enumerate(messages)]
    changes: list[Change] = []
    while True:
        # looked up before every fix: a message that loses a tool result may become the newest one of the user
        tracked, more = _fix_one_rule(provider, tracked, _newest_user_message(tracked))
        if not more:
            sent = [item.message for item in tracked]
            return Repair(sent, tuple(changes), tuple(refusals(provider, sent)))
        changes += more


def _newest_user_message(tracked: Sequence[TrackedMessage]) -> int | None:
    """The position that the newest user message had before any repair; None without one."""
    return next((item.origins[-1] for item in reversed(tracked) if opens_exchange(item.message)), None)


def _fix_one_rule(
    provider: RuleProvider, tracked: Sequence[TrackedMessage], newest: int | None
) -> tuple[list[TrackedMessage], list[Change]]:
    """Fix the breaches of the first rule that can be fixed. Returns no changes if there is none.

    Breaches are fixed from the end, so that the positions of those before them stay valid.
    """
    broken = refusals(provider, [item.message for item in tracked])
    for name, fix in FIXES.items():
        fixed, changes, valid_upto = list(tracked), list[Change](), len(tracked)
        for breach in sorted(broken, key=lambda breach: breach.indexes[-1:], reverse=True):
            if breach.rule.name == name and breach.indexes[-1] <= valid_upto:
                fixed, more = fix(provider, fixed, breach, newest)
                changes = more + changes
                valid_upto = breach.indexes[0]
        if changes:
            return fixed, changes
    return list(tracked), []
