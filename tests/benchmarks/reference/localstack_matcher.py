"""LocalStack's matcher on rules and events from standard input; `.venv-peers` runs this file.

Takes {"rules": [pattern], "events": [text], "seconds": s}; prints {"rate": events per second of processor time, "refused":
rules that it does not understand}. It asks one rule after the other, as LocalStack does.
"""

from __future__ import annotations

import json
import sys
import time

from localstack.services.events.event_rule_engine import EventPatternCompiler, EventRuleEngine


def main() -> None:
    """Works for at most so many seconds, on at least one event."""
    given = json.load(sys.stdin)
    compiler, engine = EventPatternCompiler(), EventRuleEngine()
    patterns = []
    for rule in given["rules"]:
        try:
            patterns.append(compiler.compile_event_pattern(json.dumps(rule)))
        except Exception:  # cidr with host bits is not understood there
            continue
    began = time.process_time()
    done = 0
    for text in given["events"]:
        event = json.loads(text)
        for pattern in patterns:
            engine.evaluate_pattern_on_event(pattern, event)
        done += 1
        if time.process_time() - began > given["seconds"]:
            break
    spent = time.process_time() - began
    print(json.dumps({"rate": done / spent, "refused": len(given["rules"]) - len(patterns)}))


if __name__ == "__main__":
    main()
