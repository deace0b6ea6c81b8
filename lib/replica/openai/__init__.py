"""OpenAI's Conversations, Responses and Assistants, as the replica serves them."""
