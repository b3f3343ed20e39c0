"""The network as an ONNX graph, in 32-bit numbers or 8-bit integers."""
