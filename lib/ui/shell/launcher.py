"""Warms the server up while the first browser still loads its scripts, and closes what was made when the server stops.

The store's library takes a fifth of a second to import, which the first page need not wait for. A store that cannot be
opened is only logged here; the page shows the error.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit.starlette import App

from lib.errors import ChatError

log = logging.getLogger(__name__)


@asynccontextmanager
async def warm_up(app: App) -> AsyncIterator[None]:
    """The lifespan of st.App: start warming up without making the server wait; on shutdown, close everything.

    The web server dies by the signal it receives, so functions registered with atexit would not run.
    """
    threading.Thread(target=_open_the_store, daemon=True, name="warm-up").start()
    yield
    from lib.ui.shell import services

    services.close()


def _open_the_store() -> None:
    from lib.ui.shell import services

    try:
        services.local_servers().models()  # asked now, their answers are there when the settings are opened
        services.everyones_chat()
    except ChatError as error:
        log.warning("%s", error.what)
