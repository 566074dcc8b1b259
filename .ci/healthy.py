#!/usr/bin/env python3
"""healthy.py BIN LAB: every healthy trace raises no error and no warning beyond what its verdict allows."""
import json
import pathlib
import subprocess
import sys

binary, lab = sys.argv[1], pathlib.Path(sys.argv[2])
bad = checked = 0
for scenario in sorted(lab.iterdir()):
    verdict_file = scenario / "verdict.json"
    if not verdict_file.exists():
        continue
    verdict = json.loads(verdict_file.read_text())
    if verdict.get("class") != "healthy":
        continue
    capture = next(p for p in (scenario / "outer.pcap", scenario / "outer.pcapng") if p.exists())
    keys = [scenario / k for k in verdict.get("keys", []) if (scenario / k).exists()][:1]
    command = [binary, "-T", "json", str(capture)] + [a for k in keys for a in ("-k", str(k))]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["captures"][0]
    allowed = set(verdict.get("rules_may", [])) | set(verdict.get("rules_must", []))
    raised = [f["rule"] for f in report["findings"] if f["severity"] != "note" and f["rule"] not in allowed]
    checked += 1
    if raised:
        bad += 1
        print(f"{scenario.name}: {', '.join(raised)}")
print(f"{checked - bad} of {checked} healthy traces raise nothing they may not")
sys.exit(1 if bad or not checked else 0)
