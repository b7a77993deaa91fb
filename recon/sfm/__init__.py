"""Camera poses from photographs, without a network: features, matches, incremental mapping, bundle adjustment."""

# Before pycolmap, which exports a zlib of its own: where the system's zlib is loaded after it, the two get mixed, and
# writing a PNG with Pillow or OpenCV then ends the process.
import zlib  # noqa: F401
