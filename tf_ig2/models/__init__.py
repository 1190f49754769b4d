"""The model as explanations see it: its graph, its representation, and the output that is explained."""
