"""The smallest repair of a request: repaired.

The rule: only what the provider refuses is repaired, so a request that it accepts is returned as it is, message by
message, and repairing twice changes nothing more. The newest message of the user is never left out. What no leaving out can
mend (nothing to answer, a newest message that is empty, sizes) is said in `left`.
It leaves out doing so unasked: a repair is shown to a person, as a suggestion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.messages import Message
from lib.request_rules.check import Breach, refusals
from lib.request_rules.fixes import MENDS, Change, Piece
from lib.request_rules.rules import RuleProvider
from lib.tool_calls import opens_exchange


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired request, what was changed, in order, and what the provider would still refuse."""

    messages: list[Message]
    changes: tuple[Change, ...]
    left: tuple[Breach, ...]


def repaired(provider: RuleProvider, messages: Sequence[Message]) -> Repair:
    """The smallest change after which the provider accepts the shape of these messages.

    Example: repaired("openai", [user("q"), Message("tool", "42", {"tool_call_id": "c1"})]).messages -> [user("q")]
    """
    pieces = [Piece(message, (at,)) for at, message in enumerate(messages)]
    keep = next((at for at in reversed(range(len(messages))) if opens_exchange(messages[at])), None)
    changes: list[Change] = []
    while True:
        pieces, more = _mended_once(provider, pieces, keep)
        if not more:
            sent = [piece.message for piece in pieces]
            return Repair(sent, tuple(changes), tuple(refusals(provider, sent)))
        changes += more


def _mended_once(provider: RuleProvider, pieces: Sequence[Piece], keep: int | None) -> tuple[list[Piece], list[Change]]:
    """The breaches of the first rule for which something can be done, from the end, while their places are still true."""
    broken = refusals(provider, [piece.message for piece in pieces])
    for name, mend in MENDS.items():
        mended, changes, true_upto = list(pieces), list[Change](), len(pieces)
        for breach in sorted(broken, key=lambda found: found.indexes[-1:], reverse=True):
            if breach.rule.name == name and breach.indexes[-1] <= true_upto:
                mended, more = mend(provider, mended, breach, keep)
                changes = more + changes
                true_upto = breach.indexes[0]
        if changes:
            return mended, changes
    return list(pieces), []
