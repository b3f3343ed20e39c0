"""Parts of the network: CRF, token pruning, rounding to 8 bits, cased vocabulary."""
