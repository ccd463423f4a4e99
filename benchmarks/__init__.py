"""Measurements beside the bare host and the usual alternatives: ``python -m benchmarks``."""
