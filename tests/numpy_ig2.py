"""A plain NumPy reading of Algorithm 1 and of the integration, for one explicand and one reference.

Written from the paper, slowly and in the open, to hold the compiled walk against. A model is three functions:
`representation(x)`, `pullback(x, v)` = vᵀ ∂representation/∂x, and `output_gradient(x)`.
"""

import itertools

import numpy as np


def distance_gradient(model, x, reference, distance):
    """∂ distance(f̃(x), reference) / ∂x, up to a positive factor."""
    a, b = model.representation(x), reference
    if distance in ("euclidean", "squared_euclidean"):
        v = 2 * (a - b)
    elif distance == "l1":
        v = np.sign(a - b)
    else:
        na, nb = np.linalg.norm(a), np.linalg.norm(b)
        v = -(b / (na * nb) - a * (a @ b) / (na**3 * nb))
    return model.pullback(x, v)


def unit_step(gradient, norm, percentile=95):
    """Line 5 and 6 of Algorithm 1, Eq. 20 and 21."""
    if norm == "l2":
        length = np.sqrt((gradient**2).sum())
        return gradient / length if length else gradient * 0
    size = max(1, int(np.ceil(round((1 - percentile / 100) * gradient.size, 6))))
    threshold = np.sort(np.abs(gradient))[-size]
    step = np.where(np.abs(gradient) >= threshold, np.sign(gradient), 0.0)
    return step / np.abs(step).sum() if step.any() else step


def next_point(model, x, reference, step_size, low, high, distance="euclidean", norm="l2", percentile=95):
    gradient = distance_gradient(model, x, reference, distance)
    return np.clip(x - step_size * unit_step(gradient, norm, percentile), low, high)


def contribution(model, start, end, rule, nodes=4):
    """∫ ∇f over one segment from `start` toward GradCF, with the sign of an attribution: Σ is f(start) − f(end)."""
    if rule == "explicand":
        gradient = model.output_gradient(start)
    elif rule == "counterfactual":
        gradient = model.output_gradient(end)
    elif rule == "trapezoid":
        gradient = (model.output_gradient(start) + model.output_gradient(end)) / 2
    else:
        positions, weights = np.polynomial.legendre.leggauss(nodes)
        gradient = sum(
            weight / 2 * model.output_gradient(start + (position + 1) / 2 * (end - start))
            for position, weight in zip(positions, weights, strict=True)
        )
    return (start - end) * gradient


def ig2(model, x, reference, steps, step_size, low, high, rule, distance, norm):
    """The whole walk: attributions and the list of its points."""
    path = [x]
    for _ in range(steps):
        path.append(next_point(model, path[-1], reference, step_size, low, high, distance, norm))
    values = sum(contribution(model, a, b, rule) for a, b in itertools.pairwise(path))
    return values, path


def idgi(model, path, rule):
    """IDGI along the points of a path: f's differences, shared out by the squares of the gradient."""
    values = 0
    for a, b in itertools.pairwise(path):
        shares = [model.output_gradient(point) ** 2 for point in ((a, b) if rule == "idgi-both" else (a,))]
        values += np.mean([share / share.sum() for share in shares], axis=0) * (model.output(a) - model.output(b))
    return values


class Mlp:
    """A Keras Sequential of Dense layers, the last one explained as logits, in NumPy."""

    def __init__(self, model, target, activation):
        self.layers = [[w.astype(np.float64) for w in layer.get_weights()] for layer in model.layers]
        self.target, self.activation = target, activation

    def _forward(self, x):
        hidden, slopes = x, []
        for kernel, bias in self.layers[:-1]:
            z = hidden @ kernel + bias
            hidden = np.tanh(z) if self.activation == "tanh" else np.maximum(z, 0)
            slopes.append(1 - hidden**2 if self.activation == "tanh" else (z > 0).astype(float))
        return hidden, slopes

    def representation(self, x):
        return self._forward(x)[0]

    def pullback(self, x, v):
        for (kernel, _), slope in zip(self.layers[-2::-1], self._forward(x)[1][::-1], strict=True):
            v = kernel @ (v * slope)
        return v

    def output(self, x):
        kernel, bias = self.layers[-1]
        return (self.representation(x) @ kernel + bias)[self.target]

    def output_gradient(self, x):
        return self.pullback(x, self.layers[-1][0][:, self.target])
