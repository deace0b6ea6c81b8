"""The meter of one session: holds what a request may cost at most, and settles it at what it did cost."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from lib.errors import SpendingCapReached
from lib.history.spending import Balance, SpendingBook
from lib.messages import Usage
from lib.pricing.costs import cost, most_cost
from lib.pricing.model import Model
from lib.spending import Caps, Spent, day_account, from_book, session_account, to_book

FindModel = Callable[[str, str], Model | None]
"""The catalogue's entry for a provider and a model; None where no price is known."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A request under way: what is held for it in both accounts."""

    meter: Meter
    id: str
    accounts: tuple[str, ...]
    most: Decimal
    model: Model

    def settle(self, usage: Usage | None) -> None:
        """What the request did cost; the most, where the provider does not say. None: it was not answered at all."""
        real = Decimal(0)
        if usage is not None:
            price = cost(self.model, usage)
            real = self.most if price is None else price.total
        for account in self.accounts:
            self.meter.book.settle(account, self.id, to_book(real))


@dataclass(frozen=True, slots=True)
class Meter:
    """Made for one turn, or for a run of a prompt set, which has an account like a session's.

    `spent_before` gives the USD that the session had cost before it had an account. `of` and `request` are what people
    call the account and one request.
    """

    book: SpendingBook
    session_id: str
    owner: str
    caps: Caps
    find: FindModel
    spent_before: Callable[[], Decimal] = lambda: Decimal(0)
    clock: Callable[[], float] = time.time
    of: str = "this chat"
    request: str = "this message"

    def hold(self, provider: str, model_name: str, input_tokens: int, output_tokens: int) -> Hold | None:
        """Hold the greatest cost of a request; None for one that costs nothing or has no known price.

        Raises SpendingCapReached if a cap would be passed; then nothing is held. Raises HistoryUnavailable.
        """
        model = self.find(provider, model_name)
        most = None if model is None else most_cost(model, input_tokens, output_tokens)
        if model is None or not most:
            return None
        hold = Hold(self, uuid.uuid4().hex, (session_account(self.session_id), self._day()), most, model)
        self._hold(hold, 0, self.caps.session, self.of, to_book(self.spent_before()))
        try:
            self._hold(hold, 1, self.caps.day, "today", 0)
        except SpendingCapReached:
            self.book.settle(hold.accounts[0], hold.id, 0)
            raise
        return hold

    def spent(self) -> tuple[Spent, Spent]:
        """What this session and this day have spent, with their caps."""
        session, day = (self.book.balance(each) for each in (session_account(self.session_id), self._day()))
        known = from_book(session.spent + session.held) or self.spent_before()
        return Spent(known, self.caps.session), Spent(from_book(day.spent + day.held), self.caps.day)

    def _day(self) -> str:
        return day_account(self.owner, self.clock())

    def _hold(self, hold: Hold, place: int, cap: Decimal | None, name: str, seed: int) -> None:
        limit = None if cap is None else to_book(cap)
        balance = self.book.hold(hold.accounts[place], hold.id, to_book(hold.most), limit, seed)
        if not balance.accepted:
            assert cap is not None
            raise cap_reached(name, cap, balance, hold.most, self.request)


def cap_reached(
    name: str, cap: Decimal, balance: Balance, most: Decimal, request: str = "this message"
) -> SpendingCapReached:
    """The error with its numbers. Example of its first sentences: "The spending cap for this chat is $1.00. $0.98 of it
    is used, and this message may cost up to $0.05."."""
    used, held = from_book(balance.spent + balance.held), from_book(balance.held)
    under_way = f", {in_words(held)} of that by requests under way" if held else ""
    return SpendingCapReached(
        f"The spending cap for {name} is {in_words(cap)}. {in_words(used)} of it is used{under_way}, and {request}"
        f" may cost up to {in_words(most)}. It was not sent."
    )


def in_words(usd: Decimal) -> str:
    """Example: in_words(Decimal("1")) -> "$1.00"; in_words(Decimal("0.0042")) -> "$0.0042" """
    cents, _, further = f"{usd:,.4f}".partition(".")
    return f"${cents}.{further.rstrip('0').ljust(2, '0')}"
