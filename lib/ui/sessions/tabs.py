"""The names of the page's tabs, which are part of its address."""

from __future__ import annotations

LIST, OPEN, COMPARE, REPLAY = "All chats", "The open chat", "Compare", "Replay"
IMPORT, EXPORT, LIBRARIES = "Import", "Export", "Other libraries"
TABS = (LIST, OPEN, COMPARE, REPLAY, IMPORT, EXPORT, LIBRARIES)
TAB = "sessions_tab"

TRANSCRIPT, STORED, TIME, SETTINGS = "Messages", "JSON as stored", "Time line", "Settings"
VIEWS = (TRANSCRIPT, STORED, TIME, SETTINGS)
VIEW = "sessions_view"
