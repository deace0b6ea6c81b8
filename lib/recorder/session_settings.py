"""The settings that a recorded session begins with."""

from __future__ import annotations

from lib.chat_settings import ChatSettings
from lib.context import DEFAULT_STRATEGY
from lib.pricing.catalogue import find
from lib.providers.factory import vendor_of
from lib.settings import Endpoint


def settings_of(endpoint: Endpoint, model: str) -> ChatSettings:
    """Settings for this endpoint and model, with the model's window where it is known, else the endpoint's."""
    vendor = vendor_of(endpoint)
    known = None if vendor is None else find(vendor, model)
    window = endpoint.window if known is None else known.context_window or endpoint.window
    return ChatSettings(endpoint.name, model or endpoint.model, "", window, endpoint.reserve, DEFAULT_STRATEGY)
