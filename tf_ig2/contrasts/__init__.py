"""What an explicand is contrasted with: references, and how they are read and represented."""
