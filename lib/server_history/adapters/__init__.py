"""The adapters: one for each way of having a server keep the history, and one that sends it again every turn."""
