"""What models cost and how much they can hold: the catalogue of models, and the price of a request."""
