"""Events that targets finally did not take: finding, grouping, sending them again, dropping them, forwarding them.

It reads and changes rows of runner_exception; whoever holds the lease of a target carries out what is asked here.
"""
