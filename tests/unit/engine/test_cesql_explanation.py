"""The sentences people read when an expression did not take their event."""

from __future__ import annotations

import pytest

from rules.engine import ABSENT, Event
from rules.engine.cesql import parse

EVENT = Event(
    {
        "id": "1",
        "source": "/shop",
        "type": "order.paid",
        "specversion": "1.0",
        "priority": "7",
        "retries": 2,
        "urgent": True,
        "flag": "no",
    },
    None,
)

# (expression, the sub-expression, column, sentence)
SENTENCES = [
    ("type = 'a'", "type = 'a'", 1, 'type is "order.paid", the rule wants "a"'),
    ("type = 'order.paid' AND source = '/x'", "source = '/x'", 25, 'source is "/shop", the rule wants "/x"'),
    ("'a' = type", "'a' = type", 1, 'type is "order.paid", the rule wants "a"'),
    (
        "type != 'order.paid'",
        "type != 'order.paid'",
        1,
        'type is "order.paid", the rule wants anything but "order.paid"',
    ),
    (
        "NOT (type = 'order.paid')",
        "type = 'order.paid'",
        6,
        'type is "order.paid", the rule wants anything but "order.paid"',
    ),
    ("priority < 7", "priority < 7", 1, 'priority is "7", the rule wants less than 7'),
    ("priority <= 6", "priority <= 6", 1, 'priority is "7", the rule wants at most 6'),
    ("priority > 7", "priority > 7", 1, 'priority is "7", the rule wants more than 7'),
    ("NOT (priority < 8)", "priority < 8", 6, 'priority is "7", the rule wants at least 8'),
    ("8 < priority", "8 < priority", 1, 'priority is "7", the rule wants more than 8'),
    (
        "retries > priority",
        "retries > priority",
        1,
        'retries is 2, the rule wants more than priority, which is "7"',
    ),
    (
        "retries = priority",
        "retries = priority",
        1,
        'retries is 2, the rule wants the same as priority, which is "7"',
    ),
    ("LENGTH(type) > 20", "LENGTH(type) > 20", 1, "LENGTH(type) is 10, the rule wants more than 20"),
    ("retries  *\n2 = 5", "retries  *\n2 = 5", 1, "retries * 2 is 4, the rule wants 5"),
    (
        "type LIKE 'com.%'",
        "type LIKE 'com.%'",
        1,
        'type is "order.paid", the rule wants a string that starts with "com."',
    ),
    (
        "type LIKE '%.sent'",
        "type LIKE '%.sent'",
        1,
        'type is "order.paid", the rule wants a string that ends with ".sent"',
    ),
    (
        "type LIKE '%x%'",
        "type LIKE '%x%'",
        1,
        'type is "order.paid", the rule wants a string that contains "x"',
    ),
    ("type LIKE 'x'", "type LIKE 'x'", 1, 'type is "order.paid", the rule wants "x"'),
    ("type LIKE 'a%b_'", "type LIKE 'a%b_'", 1, 'type is "order.paid", the rule wants a string like "a%b_"'),
    (
        "type NOT LIKE 'order%'",
        "type NOT LIKE 'order%'",
        1,
        'type is "order.paid", the rule wants a string that does not start with "order"',
    ),
    (
        "type NOT LIKE 'o%_d'",
        "type NOT LIKE 'o%_d'",
        1,
        'type is "order.paid", the rule wants a string not like "o%_d"',
    ),
    (
        "source IN ('a', 'b', 'c')",
        "source IN ('a', 'b', 'c')",
        1,
        'source is "/shop", the rule wants "a", "b" or "c"',
    ),
    (
        "source NOT IN ('/shop')",
        "source NOT IN ('/shop')",
        1,
        'source is "/shop", the rule wants anything but "/shop"',
    ),
    (
        "retries IN (11, 12, 13, 14, 15, 16, 17, 18)",
        "retries IN (11, 12, 13, 14, 15, 16, 17, 18)",
        1,
        "retries is 2, the rule wants 11, 12, 13, 14, 15 or one of 3 others",
    ),
    ("EXISTS subject", "EXISTS subject", 1, "subject is not in the event, the rule wants it to be there"),
    ("NOT EXISTS priority", "EXISTS priority", 5, 'priority is "7", the rule wants it not to be there'),
    ("urgent = FALSE", "urgent = FALSE", 1, "urgent is true, the rule wants false"),
    ("NOT urgent", "urgent", 5, "urgent is true, the rule wants false"),
    ("urgent AND flag", "flag", 12, 'flag is "no", the rule wants true or false'),
    ("flag", "flag", 1, 'flag is "no" (a string), the rule wants true, not cast from others'),
    ("retries", "retries", 1, "retries is 2 (a number), the rule wants true, not cast from others"),
    ("1 = 2", "1 = 2", 1, "1 = 2 never holds"),
    ("urgent AND FALSE", "FALSE", 12, "FALSE stands in the expression, which never holds"),
    (
        "urgent XOR retries = 2",
        "urgent XOR retries = 2",
        1,
        "urgent XOR retries = 2 is false, the rule wants true",
    ),
    (
        "type = 'a' OR source = 'b'",
        "type = 'a'",
        1,
        'type is "order.paid", the rule wants "a" (the first of 2 alternatives, none of which holds)',
    ),
    ("NOT (type = 'a' OR urgent)", "urgent", 20, "urgent is true, the rule wants false"),
    ("urgent AND (type = 'a' AND retries = 2)", "type = 'a'", 13, 'type is "order.paid", the rule wants "a"'),
    ("type = 'a' OR urgent AND source = 'b'", "source = 'b'", 26, 'source is "/shop", the rule wants "b"'),
    (
        "subject = 'x'",
        "subject",
        1,
        "subject is not in the event, so subject = 'x' reads as false and the rule cannot take the event",
    ),
    (
        "NOT (CONCAT(subject, 'x') = 'x')",
        "subject",
        13,
        "subject is not in the event, so CONCAT(subject, 'x') reads as '' and the rule cannot take the event",
    ),
    (
        "subject + 1 > 5",
        "subject",
        1,
        "subject is not in the event, so subject + 1 reads as 0 and the rule cannot take the event",
    ),
    (
        "urgent AND subject",
        "subject",
        12,
        "subject is not in the event, so it reads as false and the rule cannot take the event",
    ),
    ("type = 5", "type = 5", 1, 'type is "order.paid", type = 5 needs a whole number there'),
    ("retries / 0 = 1", "retries / 0", 1, "retries / 0 divides by 0"),
    (
        "LEFT(type, -1) = 'o'",
        "LEFT(type, -1)",
        1,
        "LEFT(type, -1): the number of characters is -1, it must be 0 or more",
    ),
]


@pytest.mark.parametrize(("text", "part", "column", "sentence"), SENTENCES, ids=[row[0] for row in SENTENCES])
def test_the_first_condition_that_fails_is_told(text, part, column, sentence) -> None:
    explanation = parse(text).explain(EVENT)
    assert not explanation.matched
    finding = explanation.failed
    assert finding is not None
    assert finding.condition.sentence == sentence
    assert not finding.condition.ok
    assert (finding.text, finding.line, finding.column) == (part, 1, column)


def test_the_terms_of_the_outermost_and_are_told_one_by_one() -> None:
    text = "type = 'order.paid' AND (EXISTS subject OR urgent) AND retries > 5\n  AND (source = 'x' AND priority = 7)"
    explanation = parse(text).explain(EVENT)
    assert [(one.condition.sentence, one.condition.ok) for one in explanation.findings] == [
        ('type is "order.paid", as the rule wants', True),
        ("urgent is true, as the rule wants", True),
        ("retries is 2, the rule wants more than 5", False),
        ('source is "/shop", the rule wants "x"', False),
        ('priority is "7", as the rule wants', True),
    ]
    assert explanation.failed is explanation.findings[2]
    assert [(one.line, one.column) for one in explanation.findings[2:4]] == [(1, 56), (2, 8)]


def test_a_condition_holds_json_values() -> None:
    def condition(text: str) -> tuple[object, ...]:
        [finding] = parse(text).explain(EVENT).findings
        one = finding.condition
        return one.path, one.operator, one.wanted, one.seen

    assert condition("type = 'a'") == ("type", "=", "a", "order.paid")
    assert condition("NOT (retries > 1)") == ("retries", "<=", 1, 2)
    assert condition("type LIKE 'a%'") == ("type", "LIKE", "a%", "order.paid")
    assert condition("type NOT IN ('a', 'b')") == ("type", "NOT IN", ["a", "b"], "order.paid")
    assert condition("EXISTS subject") == ("subject", "EXISTS", True, ABSENT)
    assert condition("subject = 'a'") == ("subject", "missingAttribute", True, ABSENT)
    assert condition("type = 5") == ("type", "cast", "a whole number", "order.paid")
    assert condition("LOWER( type ) = 'a'") == ("LOWER( type )", "=", "a", "order.paid")
    assert condition("retries / 0 = 1") == ("retries / 0", "math", None, ABSENT)


def test_an_expression_that_holds_has_nothing_that_failed() -> None:
    explanation = parse("urgent AND NOT (type = 'a')").explain(EVENT)
    assert (explanation.matched, explanation.value, explanation.error) == (True, True, None)
    assert explanation.failed is None
    assert [one.condition.sentence for one in explanation.findings] == [
        "urgent is true, as the rule wants",
        'type is "order.paid", as the rule wants',
    ]


def test_long_texts_are_cut_in_sentences() -> None:
    event = Event({"type": "x" * 50_000}, None)
    for text in [
        f"type = '{'y' * 5000}'",
        f"LOWER(CONCAT(type, '{'y' * 5000}')) = 'a'",
        f"type LIKE '{'y%' * 500}'",
    ]:
        finding = parse(text).explain(event).failed
        assert finding is not None
        assert len(finding.condition.sentence) < 400
