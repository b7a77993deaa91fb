"""Readers of data sets: each turns a folder on disk into captures, which are frames with cameras."""
