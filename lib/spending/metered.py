"""A provider whose requests are held and settled in a meter. Everything else is the provider's own."""

from __future__ import annotations

from collections.abc import Iterator

from lib.errors import ChatError, ContentRefused
from lib.messages import Usage
from lib.providers import ChatRequest, Provider, Reply, SentBody, StreamEvent
from lib.providers.export import Address
from lib.request_rules import RuleProvider
from lib.spending.meter import Hold, Meter
from lib.tokens import TokenCounter


class MeteredProvider:
    """A Provider. `counter` sizes requests; it is asked only where a price is known."""

    def __init__(self, provider: Provider, meter: Meter, counter: TokenCounter) -> None:
        self._provider = provider
        self._meter = meter
        self._counter = counter

    @property
    def name(self) -> str:
        return self._provider.name

    @property
    def rules(self) -> RuleProvider | None:
        return self._provider.rules

    def prepare(self, request: ChatRequest) -> SentBody:
        return self._provider.prepare(request)

    def address(self) -> Address:
        return self._provider.address()

    def stream(self, sent: SentBody) -> Iterator[StreamEvent]:
        """The same, unless a spending cap would be passed: then nothing is sent. Raises SpendingCapReached."""
        request = sent.request
        hold = self._hold(request)
        if hold is None:
            yield from self._provider.stream(sent)
            return
        usage: Usage | None = Usage()  # not reported: the most
        answered = False
        try:
            for event in self._provider.stream(sent):
                answered = True
                if isinstance(event, Reply):
                    usage = event.usage
                yield event
        except ContentRefused:
            raise
        except ChatError:
            usage = usage if answered else None  # a request that failed before its first word is not billed
            raise
        finally:
            hold.settle(usage)

    def _hold(self, request: ChatRequest) -> Hold | None:
        if self._meter.find(self.name, request.model) is None:
            return None
        has_system = any(message.is_system for message in request.messages)
        size = sum(self._counter.count_many(request.messages)) + self._counter.template(has_system)
        return self._meter.hold(self.name, request.model, size, request.max_output_tokens)

    def models(self) -> list[str]:
        return self._provider.models()

    def count(self, request: ChatRequest) -> int | None:
        return self._provider.count(request)

    def counter(self) -> TokenCounter | None:
        return self._provider.counter()
