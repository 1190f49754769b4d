"""What users construct: each explainer is a path and what the explicand is contrasted with."""
