"""The map as a picture: which node stands where (layout), and the SVG of it (drawing).

Pure: no Django, no database. delivery/tracking/topology.py reads who tells whom, delivery/pages chooses what is shown.
"""
