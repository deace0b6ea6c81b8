"""The page that asks several models the same, side by side."""
