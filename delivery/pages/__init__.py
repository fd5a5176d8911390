"""The console's pages of what happens: deliveries, targets, dead letters, journeys, request bins, previews.

They read through delivery/tracking and change things through rules.revisions and delivery/runner alone.
"""
