"""From image files to upright, undistorted views on one canvas."""
