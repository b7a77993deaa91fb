"""Weights that others publish, converted once to the form that this project reads."""
