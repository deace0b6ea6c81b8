"""Records the requests that a person's own app sends through Windowseat, as turns of sessions.

The bytes pass elsewhere (lib/api/record); here a copy of them is read. A request's messages are the history: those
that are new are appended, the others are found again among the stored ones, and stored messages that the app did not
send are "dropped by the app".
"""
