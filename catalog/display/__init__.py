"""How values are shown: numbers, times, JSON, sparklines. Pure text, used by the template tags and by the live feed."""
