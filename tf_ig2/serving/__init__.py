"""Explanations where the predictions are: a SavedModel that explains, and batch jobs that survive being killed."""

from tf_ig2.serving.export import export
from tf_ig2.serving.served import ServedExplainer, read_manifest

__all__ = ["ServedExplainer", "export", "read_manifest"]
