"""XAI-BENCH's five metrics, for data whose conditional distributions are known (section 6.1).

They follow the definitions; where the benchmark's code differs from these, the docstring says so.

References: Liu et al., Synthetic Benchmarks for Scientific Research in Explainable Machine Learning, NeurIPS Datasets
and Benchmarks 2021, and the papers named at each metric.
"""

from tf_ig2.metrics.xai_bench.conditional import Distribution, Samples
from tf_ig2.metrics.xai_bench.perturbation import (
    FAITHFULNESS,
    INFIDELITY,
    MONOTONICITY,
    faithfulness,
    infidelity,
    monotonicity,
)
from tf_ig2.metrics.xai_bench.retraining import CUTOFFS, ROAR, Retraining, roar
from tf_ig2.metrics.xai_bench.shapley import GT_SHAPLEY, gt_shapley, shapley_values

__all__ = [
    "CUTOFFS",
    "FAITHFULNESS",
    "GT_SHAPLEY",
    "INFIDELITY",
    "MONOTONICITY",
    "ROAR",
    "Distribution",
    "Retraining",
    "Samples",
    "faithfulness",
    "gt_shapley",
    "infidelity",
    "monotonicity",
    "roar",
    "shapley_values",
]
