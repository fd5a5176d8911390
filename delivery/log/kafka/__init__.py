"""Kafka's protocol in front of the log: a broker takes events in, a router brings them into the database.

May use: delivery/log's values, confluent-kafka (an extra, imported when a broker is configured). Knows no rules.
"""
