"""What Signalbox remembers of the systems it delivers to: permissions they gave, access tokens they handed out.

Implements delivery.connectors.remembered on the database, and makes what targets are lent (`services`) in one place for
the runner, trials and tests of a connection. Uses the connectors' contract and the HTTP client.
"""
