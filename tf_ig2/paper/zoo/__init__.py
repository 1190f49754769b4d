"""The networks that the paper explains: their architectures, and the recipes that train the small ones."""
