"""Segmentations of images, and regions ranked by attributions."""
