"""The provider of the example: it answers with replies written by hand, and sends nothing anywhere."""

from __future__ import annotations

from dataclasses import replace

from lib.providers.export import Address
from lib.providers.scripted import Script, ScriptedProvider
from lib.settings import EXAMPLE

MODEL = "written by hand"
"""What the example's turns have in place of a model's name."""
NOT_SENT = "This request was sent to no model: its reply was written by hand."


class ExampleProvider(ScriptedProvider):
    """Plays these replies in order. Without replies it only prepares requests, which is what pages need it for."""

    name = EXAMPLE

    def __init__(self, *replies: str) -> None:
        super().__init__(*(Script([reply], stop_reason=None) for reply in replies))

    def address(self) -> Address:
        """An address where no server listens, with a note that says so."""
        return replace(super().address(), note=NOT_SENT)
