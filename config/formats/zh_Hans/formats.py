"""Numbers in groups of three, as CLDR and the browser's Intl have it: 12,345."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
