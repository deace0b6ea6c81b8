"""Opens meters and keeps caps: what an app's chat service and its pages need of spending."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from lib.analysis.session_costs import cost_of
from lib.history import HistoryStore
from lib.spending import NO_CAPS, Caps, Spent, days_account, from_book, session_account, to_book
from lib.spending.meter import FindModel, Meter

RUN = "prompt-run-"
"""What the accounts of runs begin with, among those of sessions."""


class Spending:
    """One per app process. `find` gives prices; without it, nothing costs anything.

    `limits` are the installation's caps, which nobody can raise.
    """

    def __init__(
        self,
        store: HistoryStore,
        find: FindModel = lambda provider, model: None,
        limits: Caps = NO_CAPS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits = limits
        self._store = store
        self._find = find
        self._clock = clock

    def meter(self, session_id: str) -> Meter:
        """The meter of a session, with the caps that hold now. Raises HistoryUnavailable or CorruptHistory."""
        owner = self._store.about(session_id).owner
        return Meter(
            self._store.spending,
            session_id,
            owner,
            self._caps(session_id, owner).lower(self.limits),
            self._find,
            partial(self._spent_before, session_id),
            self._clock,
        )

    def meter_of_run(self, owner: str, run_id: str, cap: Decimal | None) -> Meter:
        """The meter of a person's run of a prompt set. The run's cap stands where a session's does.

        Raises HistoryUnavailable.
        """
        day = self._store.spending.cap(days_account(owner))
        caps = Caps(cap, None if day is None else from_book(day)).lower(self.limits)
        account = f"{RUN}{run_id}"
        return Meter(
            self._store.spending,
            account,
            owner,
            caps,
            self._find,
            clock=self._clock,
            of="this run",
            request="the next request",
        )

    def spent(self, session_id: str) -> tuple[Spent, Spent]:
        """What the session and its owner's day have spent, with the caps that hold."""
        return self.meter(session_id).spent()

    def caps(self, session_id: str) -> Caps:
        """The caps that people set: the session's, and that of its owner's days."""
        return self._caps(session_id, self._store.about(session_id).owner)

    def set_caps(self, session_id: str, caps: Caps) -> None:
        """Set both; None removes one."""
        owner = self._store.about(session_id).owner
        for account, usd in ((session_account(session_id), caps.session), (days_account(owner), caps.day)):
            self._store.spending.set_cap(account, None if usd is None else to_book(usd))

    def _caps(self, session_id: str, owner: str) -> Caps:
        found = [self._store.spending.cap(each) for each in (session_account(session_id), days_account(owner))]
        session, day = (None if each is None else from_book(each) for each in found)
        return Caps(session, day)

    def _spent_before(self, session_id: str) -> Decimal:
        """What the session's turns cost at today's prices, for one that has no account yet."""
        row = self._store.row(session_id)
        return (None if row is None else cost_of(row, self._find).usd) or Decimal(0)
