"""What every page stands on: setup, menu, session state, services, errors."""
