"""The parts of the page "Trim lab": cliff map, bake-off, recall probe, costs of trimming, and reports."""
