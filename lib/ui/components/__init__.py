"""Components that several pages draw: the window strip, charts, tables, message rows, settings fields."""
