"""Chaos: real processes killed, stopped and deprived under load, and the proof that nothing acknowledged was lost or overtaken.

`load` publishes, `sink` and `receiver` receive, `verify` compares what both saw with the database, `trial` lets `faults`
happen and waits, `test_kill` and `test_faults` are the short run, `rounds` the long one (`make chaos`); docs/chaos.md.
"""
