"""How good an attribution is: the metrics of the paper, and those of its field. All are seeded and batched."""
