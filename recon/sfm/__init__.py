"""Camera poses from photographs, without a network: features, matches, incremental mapping, bundle adjustment."""
