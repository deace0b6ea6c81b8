"""The page "Record your app", and what the context-window page shows of a request that an app sent."""
