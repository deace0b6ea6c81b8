"""One adapter for each way of keeping a history, and the control that sends it again every turn."""
