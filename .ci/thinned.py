#!/usr/bin/env python3
"""thinned.py BIN LAB [SEEDS]: captures that lack packets accuse nobody for sure.

Each healthy trace with 1 %, 5 % and 20 % of its frames removed at random, with one direction removed, and with its first
half removed: no certain error that the whole trace does not have."""
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

binary, lab = sys.argv[1], pathlib.Path(sys.argv[2])
seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5


def records(capture):
    """The file header and the records of a pcap file; None for pcapng."""
    data = capture.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}.get(data[:4])
    if order is None:
        return None
    out, at = [], 24
    while at + 16 <= len(data):
        (length,) = struct.unpack_from(order + "I", data, at + 8)
        out.append(data[at : at + 16 + length])
        at += 16 + length
    return data[:24], out


def source(record):
    """The addresses of the outer IPv4 or IPv6 header, lower one first; whether the lower one sends."""
    frame = record[16:]
    for start in (14, 16, 20):
        kind = frame[start - 2 : start]
        if kind == b"\x08\x00":
            pair = frame[start + 12 : start + 16], frame[start + 16 : start + 20]
        elif kind == b"\x86\xdd":
            pair = frame[start + 8 : start + 24], frame[start + 24 : start + 40]
        else:
            continue
        return pair[0] < pair[1]
    return None


def errors(path, keys):
    command = [binary, "-T", "json", str(path)] + [a for k in keys for a in ("-k", str(k))]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["captures"][0]
    return {f["rule"] for f in report["findings"] if f["severity"] == "error" and f["certainty"] == "certain"}


def variants(all_records):
    for percent in (1, 5, 20):
        for seed in range(seeds):
            chance = random.Random(seed * 100 + percent)
            yield f"{percent} % removed, seed {seed}", [r for r in all_records if chance.random() * 100 >= percent]
    for wanted in (True, False):
        yield "one direction", [r for r in all_records if source(r) in (None, wanted)]
    yield "second half", all_records[len(all_records) // 2 :]


def check(scenario):
    verdict = json.loads((scenario / "verdict.json").read_text())
    capture = next(p for p in (scenario / "outer.pcap", scenario / "outer.pcapng") if p.exists())
    keys = [scenario / k for k in verdict.get("keys", []) if (scenario / k).exists()][:1]
    parts = records(capture)
    if parts is None:
        return 0, []
    header, all_records = parts
    whole = errors(capture, keys)
    count, bad = 0, []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "thinned.pcap"
        for name, kept in variants(all_records):
            path.write_bytes(header + b"".join(kept))
            more = errors(path, keys) - whole
            count += 1
            if more:
                bad.append(f"{scenario.name}: {name}: {', '.join(sorted(more))}")
    return count, bad


scenarios = [s for s in sorted(lab.iterdir()) if (s / "verdict.json").exists()]
scenarios = [s for s in scenarios if json.loads((s / "verdict.json").read_text()).get("class") == "healthy"]
with ThreadPoolExecutor(4) as pool:
    results = list(pool.map(check, scenarios))
lines = [line for _, bad in results for line in bad]
print("\n".join(lines[:40]))
print(f"{len(lines)} of {sum(n for n, _ in results)} thinned captures raise a certain error that the whole one does not")
sys.exit(1 if lines or not results else 0)
