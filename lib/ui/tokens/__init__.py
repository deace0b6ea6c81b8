"""The page "Tokens and money": requests, counters, cost, tokens of a text."""
