"""tqdm's bar, for terminals and notebooks; a notebook without ipywidgets gets the terminal's, and no warning."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
