"""The interface of a spending book: what was spent on each account, and what requests under way may still cost.

An account is a session, or a person's day. Before a request is sent its greatest cost is held, and afterwards settled
at its real cost. A hold and the check against the cap are one atomic step, so that two tabs together never pass a cap.
Amounts are whole billionths of a US dollar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

HOLD_SECONDS = 3_600
"""How long a hold waits to be settled. If the app was killed meanwhile, it then counts as spent: the provider may have
charged for it."""
KEPT_SECONDS = 90 * 86_400
"""How long an account is kept after its last hold."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has spent, and what is held for requests under way."""

    spent: int = 0
    held: int = 0
    accepted: bool = True
    """False if the hold that was asked for would pass the cap. Then nothing was held."""


class SpendingBook(Protocol):
    """Every method raises HistoryUnavailable if the store does not answer."""

    def hold(self, account: str, hold_id: str, amount: int, cap: int | None, seed: int = 0) -> Balance:
        """Hold an amount unless spent, held and this together pass the cap. None is no cap.

        The balance is the one before this hold. A new account begins with `seed` spent. The same `hold_id` again
        replaces its hold.
        """

    def settle(self, account: str, hold_id: str, amount: int) -> None:
        """Replace a hold by what was really spent. Does nothing without this hold, so it may be repeated."""

    def balance(self, account: str) -> Balance:
        """What the account has spent and holds. Writes nothing."""

    def cap(self, account: str) -> int | None:
        """The cap that was set for an account; None without one. `hold` does not look at it."""

    def set_cap(self, account: str, amount: int | None) -> None:
        """Set it; None removes it."""
