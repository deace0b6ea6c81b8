"""What the recorder's routes need of the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lib.providers.llama.process import ChildAddress
    from lib.recorder.recorder import Recorder
    from lib.settings import Endpoint


class RecordPort(Protocol):
    """The recorder of this process, and where requests can go. Raises ChatError."""

    def recorder(self) -> Recorder:
        """The recorder. The first call may block."""

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The endpoints by name. Does not wait."""

    def local_address(self) -> ChildAddress:
        """Where the model on this machine listens. May start it, and then takes seconds."""
