"""The parts of the page "Tokens and money": requests, counters, costs, and the tokens of a text."""
