"""Benchmarks: each prints figures, none asserts."""
