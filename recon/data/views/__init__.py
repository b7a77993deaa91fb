"""Which frames of a capture are given to the network and which it must predict: samplers and evaluation indexes."""
