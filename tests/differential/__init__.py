"""Random Keras models, every explainer, and oracles that need no second implementation."""
