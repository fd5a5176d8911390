"""Figures as ratios to a reference measured in the same run, interleaved, so that a busy machine cannot fake them.

`make bench` runs all; `make bench B="ingest latency"` some. One JSON line per figure on standard output.
"""
