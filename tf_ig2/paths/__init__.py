"""Where to walk: paths, quadrature rules, and the one compiled loop that integrates along a path."""
