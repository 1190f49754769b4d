"""The paper's tables and figures, one module each: `tf-ig2 reproduce table3`."""
