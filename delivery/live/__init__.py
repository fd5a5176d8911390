"""The live feed of the console: one task per web process looks for news and renders each view once for all who have it.

`topics`: what may be watched, and by whom; `parts`: what is said of it; `feed`: who gets it, and how often.
"""
