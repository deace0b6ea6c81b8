"""The page of prompt sets: many prompts on several models, what it will cost, and which model passes most."""
