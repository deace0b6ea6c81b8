"""One reader for each format. A reader takes a parsed value and returns its conversations, the current branch first."""
