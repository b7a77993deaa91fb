"""Readers of data sets, samplers of views, and the generator of training rooms."""
