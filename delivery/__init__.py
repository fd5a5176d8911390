"""The data plane: ingest, log, runner, connectors, tracking. May use `rules` and `catalog`."""
