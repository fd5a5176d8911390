"""Tests: unit, integration (real processes), browser, chaos, conformance; benchmarks run by `make bench`."""
