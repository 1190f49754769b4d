"""Next to PAIR's `saliency`: its callback contract both ways, and the authors' signature of IG²."""
