"""What this installation can do: facts about the machine, parts that are there or missing, and small trials.

Importing this package imports no other library, so that it can tell which of them is broken.
"""
