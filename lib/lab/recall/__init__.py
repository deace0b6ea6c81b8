"""The recall probe: asks a model for facts under several strategies and grades its replies."""
