"""Why a provider's prompt cache could not reuse more of a request: our own reading, and what the provider says."""
