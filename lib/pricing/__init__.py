"""Models and money: what a model can hold, what it charges, and what a request costs."""
