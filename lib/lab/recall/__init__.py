"""The recall probe: asks the live model for facts under several strategies and grades its answers."""
