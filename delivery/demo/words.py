"""A password that one can type from one screen into another."""

from __future__ import annotations

import secrets

_TEXT = (
    "alder amber anchor apron arch autumn bakery barley beacon birch bridge button cabin candle canal carrot castle "
    "cedar chalk cherry cinema clover copper corner cotton cradle crane daisy dapple delta drizzle ember fable falcon "
    "feather fennel ferry fiddle forest fountain garden garnet ginger glacier granite harbour hazel heron honey "
    "island ivory jasmine kettle kiosk ladder lantern laurel lemon linen lumber maple market meadow mellow midway "
    "mitten morning mosaic mustard nectar nutmeg oaken olive orchard otter paddle paper pebble pepper pillow plaza "
    "plum pocket poplar quartz quiet rafter raven ribbon river rowan saddle saffron signal silver spruce station "
    "summer sunday tandem tavern thistle timber tram tulip tunnel velvet village walnut wander willow winter zephyr"
)
WORDS = tuple(_TEXT.split())


def readable_password() -> str:
    """Three words and four digits, such as "amber-tram-lantern-4821": some 33 bits, for a demo on one machine."""
    return "-".join([*(secrets.choice(WORDS) for _ in range(3)), f"{secrets.randbelow(10_000):04d}"])
