"""The page of lessons: predict, watch, understand, try."""
