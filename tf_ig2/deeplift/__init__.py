"""DeepLIFT: the difference of two outputs, carried back through a Keras model to the difference of two inputs.

Every operation gets a *multiplier* in place of its gradient, such that multipliers times input differences add up to
the output difference; the chain rule does the rest:

* linear operations: their gradient;
* elementwise activations: Δout/Δin (the rescale rule), the gradient where Δin vanishes;
* maxima (pooling): the increase goes to the explicand's maximum, the decrease to the reference's;
* products: the gradient at the midpoint, which is exact;
* anything else, if asked for: the gradient (which does not add up), or its mean on the straight line between the two
  inputs of the operation (which does; for elementwise functions it is the rescale rule).

References: Shrikumar, Greenside & Kundaje, Learning Important Features Through Propagating Activation Differences, ICML
2017, section 3.5; Lundberg & Lee, A Unified Approach to Interpreting Model Predictions, NeurIPS 2017, section 4.2.
"""
