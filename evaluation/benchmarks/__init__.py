"""Benchmarks of quality, speed and memory; each module is a script."""
