"""Everything the pages draw; the only folder in lib/ that imports streamlit.

The first line of every page is `page = setup(...)`: no page may rely on app.py having run before it.
"""

from lib.ui.shell.page import Page
from lib.ui.shell.setup import setup

__all__ = ["Page", "setup"]
