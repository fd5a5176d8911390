"""Chaos: real processes killed with SIGKILL under load, and the proof that nothing acknowledged was lost or overtaken.

`load` publishes, `sink` receives, `verify` compares what both saw with the database, `trial` kills and waits,
`test_kill` is the short run of every test run, `rounds` the long one (`make chaos`). docs/chaos.md explains it.
"""
