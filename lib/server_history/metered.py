"""A conversation that a server keeps, whose messages count towards spending caps. The rest is the adapter's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from lib.errors import ChatError
from lib.messages import Usage, user
from lib.providers import TextDelta
from lib.server_history import Handle, ServerHistory, ServerTurn
from lib.spending.meter import Meter
from lib.tokens import ESTIMATE


class MeteredHistory:
    """A ServerHistory. `provider` is the endpoint's name, and `known` the tokens that each approach's conversation had
    after its last message: the server keeps the rest, so nobody else knows what it will read.

    What the server held before the first message is not known, so one message can pass a cap by that. It is settled at
    what it did cost, and the next one is refused.
    """

    def __init__(self, history: ServerHistory, meter: Meter, provider: str, known: dict[str, int]) -> None:
        self._history = history
        self._meter = meter
        self._provider = provider
        self._known = known

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    def send(self, handle: Handle, text: str) -> Iterator[TextDelta | ServerTurn]:
        """The same, unless a spending cap would be passed: then nothing is sent. Raises SpendingCapReached."""
        longest = self._history.settings.max_output_tokens
        hold = self._meter.hold(self._provider, handle.model, self._size(handle, text), longest)
        usage: Usage | None = Usage()  # not reported: the most
        answered = False
        try:
            for event in self._history.send(handle, text):
                answered = True
                if isinstance(event, ServerTurn):
                    usage = event.usage
                    self._known[handle.approach] = (usage.input_tokens or 0) + (usage.output_tokens or 0)
                yield event
        except ChatError:
            usage = usage if answered else None  # a message that failed before the first word is not billed
            raise
        finally:
            if hold is not None:
                hold.settle(usage)

    def _size(self, handle: Handle, text: str) -> int:
        """Tokens that the server will read, about."""
        own = sum(ESTIMATE.count_many([*handle.own_copy, user(handle.system_prompt)]))
        return max(own, self._known.get(handle.approach, 0)) + ESTIMATE.count(user(text))


def metered_history(history: ServerHistory, meter: Meter, provider: str, known: dict[str, int]) -> ServerHistory:
    """The adapter behind the meter."""
    return cast(ServerHistory, MeteredHistory(history, meter, provider, known))
