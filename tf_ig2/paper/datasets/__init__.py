"""The data of the paper's experiments, and of the demo."""
