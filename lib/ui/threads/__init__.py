"""The page "Who keeps the history": columns, ledger, drills, moving, reference."""
