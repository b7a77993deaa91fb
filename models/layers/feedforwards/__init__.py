"""Feed-forward layers that can be exchanged for each other."""

from models.layers.feedforwards.catalogue import FEED_FORWARDS, make_feed_forward

__all__ = ["FEED_FORWARDS", "make_feed_forward"]
