"""The names of the page's tabs, which are part of its address."""

from __future__ import annotations

LIST, OPEN, COMPARE, REPLAY, LIBRARIES = "All chats", "The open chat", "Compare", "Replay", "Other libraries"
TABS = (LIST, OPEN, COMPARE, REPLAY, LIBRARIES)
TAB = "sessions_tab"

TRANSCRIPT, STORED, TIME, SETTINGS = "Messages", "JSON as stored", "Time line", "Settings"
VIEWS = (TRANSCRIPT, STORED, TIME, SETTINGS)
VIEW = "sessions_view"
