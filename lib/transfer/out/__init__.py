"""Conversations as files for other programs: OpenAI JSONL, Markdown, and tables of turns."""
