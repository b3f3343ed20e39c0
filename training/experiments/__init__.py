"""Experiments of many trainings: sweeps, learning curves and cross-validation."""
