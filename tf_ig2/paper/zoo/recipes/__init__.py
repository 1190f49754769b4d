"""How each small network is trained; one module each, with one function `train`."""
