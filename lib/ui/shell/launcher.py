"""What happens while the server starts, before anybody asks for a page, and when it stops.

The rule: starting may only make the first page come sooner. The store's library takes a fifth of a second to import; that is done
while the browser still loads its scripts. Trouble is left to the page, which says it.
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
    """For st.App: begin to warm up, without making the server wait; at its end, give everything back.

    The web server ends by the signal it was sent, so nothing that is registered with atexit would run.
    """
    threading.Thread(target=_open_the_store, daemon=True, name="warm-up").start()
    yield
    from lib.ui.shell import services

    services.close()


def _open_the_store() -> None:
    from lib.ui.shell import services

    try:
        services.chat()
    except ChatError as error:
        log.warning("%s", error.what)
