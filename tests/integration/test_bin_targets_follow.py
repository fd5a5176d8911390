"""A target that delivers into a bin of ours finds it wherever the web process listens."""

from __future__ import annotations

import pytest

from catalog.models import Bus, Team
from delivery.bins.following import follow_address
from delivery.models import RequestBin
from rules.models import Rule, Target, TargetRevision
from rules.revisions import subscribe

pytestmark = pytest.mark.django_db

HERE = "http://127.0.0.1:8001"
BIN = "aBc_-0123456789x"


@pytest.mark.parametrize(
    ("url", "moved_to"),
    [
        (f"http://127.0.0.1:8000/bin/{BIN}/", f"{HERE}/bin/{BIN}/"),
        (f"http://localhost:8000/bin/{BIN}", f"{HERE}/bin/{BIN}"),
        (f"http://192.168.1.20:8000/bin/{BIN}/orders?x=1", f"{HERE}/bin/{BIN}/orders?x=1"),
        (f"{HERE}/bin/{BIN}/", None),
        ("http://127.0.0.1:8000/bin/not-a-bin-of-ours/", None),
        (f"https://example.com/hook?to=/bin/{BIN}/", None),
        (f"https://example.com/proxy/bin/{BIN}/", None),
    ],
)
def test_a_bin_is_followed_and_nothing_else(url: str, moved_to: str | None) -> None:
    team = Team.objects.create(name="Shop", slug="shop")
    RequestBin.objects.create(name="Mine", team=team, address=BIN)
    rule = Rule(name="R", bus=Bus.objects.create(name="main"), team=team, pattern={})
    config = {"url": url, "mode": "binary"}
    target = Target(name="T", connector="http", config=config, transform={"kind": "complete"})
    subscribe(rule, target)
    assert follow_address(HERE) == (moved_to is not None)
    assert follow_address(HERE) == 0
    target.refresh_from_db()
    assert target.config == {"url": moved_to or url, "mode": "binary"}
    # An attempt keeps the revision it was made with, so the move is one of its own.
    assert TargetRevision.objects.filter(target_id=target.pk).count() == 1 + (moved_to is not None)
