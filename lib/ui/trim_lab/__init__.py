"""The trim lab: cliff map, bake-off, recall probe, what trimming costs, reports."""
