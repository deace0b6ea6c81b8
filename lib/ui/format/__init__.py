"""Numbers and text as people read them."""
