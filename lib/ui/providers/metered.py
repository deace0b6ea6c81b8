"""Counts requests that belong to no chat towards the spending caps: probes, measurements, broken requests.

They go out with the same keys as a chat's, so without this a person could spend past the cap of their day.
"""

from __future__ import annotations

import uuid

from lib.chat.request_reader import ProviderOpener
from lib.chat_settings import ChatSettings
from lib.providers import Provider
from lib.spending.meter import Meter
from lib.spending.metered import MeteredProvider
from lib.ui.shell import services


def new_meter() -> Meter:
    """An account of its own like that of a chat, in the day of the person who looks at the page.

    Raises HistoryUnavailable.
    """
    return services.chat().spending.meter_of_run(services.asking().id, uuid.uuid4().hex, None)


def opened_by(open_provider: ProviderOpener) -> ProviderOpener:
    """Opens the same providers, whose requests are held and settled in a new meter. One that might pass a cap raises
    SpendingCapReached.

    Call it on a page; what it returns works in any thread. Raises HistoryUnavailable.
    """
    meter = new_meter()

    def open_metered(settings: ChatSettings) -> Provider:
        return MeteredProvider(open_provider(settings), meter, services.counter_of(settings))

    return open_metered


def provider_of(settings: ChatSettings) -> Provider:
    """The provider for these settings with this browser session's key, for one request or a few."""
    return opened_by(lambda chosen: services.provider_of(chosen, services.key_for(chosen.provider)))(settings)
