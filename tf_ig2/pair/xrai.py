"""What goes into PAIR's XRAI and comes out of it beside the map, under PAIR's names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class XRAIParameters:
    """PAIR's `extra_parameters`; an object of PAIR's own class does as well.

    Attributes:
      steps: gradients per baseline of Integrated Gradients, if that is what ranks the regions.
      area_threshold: stop when this fraction of the image is covered.
      return_baseline_predictions: unused, as in PAIR's class.
      return_ig_attributions: whether `XRAIOutput.ig_attribution` is wanted.
      return_xrai_segments: whether `XRAIOutput.segments` is.
      flatten_xrai_segments: segments as one array of ranks, or as a mask for each.
      algorithm: `"full"` or `"fast"`.
      experimental_params: `"min_pixel_diff"`, the pixels that a segment must add to be taken.
    """

    steps: int = 100
    area_threshold: float = 1.0
    return_baseline_predictions: bool = False
    return_ig_attributions: bool = False
    return_xrai_segments: bool = False
    flatten_xrai_segments: bool = True
    algorithm: str = "full"
    experimental_params: dict[str, Any] = field(default_factory=lambda: {"min_pixel_diff": 50})


@dataclass
class XRAIOutput:
    """What `XRAIExplainer.GetMaskWithDetails` returns.

    Attributes:
      attribution_mask: float array `[H, W]`.
      baselines: array `[R, H, W, C]`, of base explainers that have baselines; otherwise None.
      ig_attribution: list of R arrays like the image, the base attribution for each baseline; a base attribution that
        was given as it is; None if not asked for.
      segments: int array `[H, W]` of ranks from 1, the most important, or bool array `[S, H, W]`; None if not asked.
    """

    attribution_mask: np.ndarray
    baselines: Any = None
    ig_attribution: Any = None
    segments: Any = None
