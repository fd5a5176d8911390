"""The kinds of systems that events are delivered to, one folder per connector.

A connector knows its peer and nothing of logs, leases or Django: it is handed a Delivery and answers with an Outcome
(`spi`). It may use `delivery.http` and `delivery.cloudevents`.
"""
