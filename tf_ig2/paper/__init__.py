"""The apparatus of the paper's tables: datasets, networks, experiments. Of the rest only the demo uses it."""
