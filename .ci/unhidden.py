#!/usr/bin/env python3
"""unhidden.py BIN TRACES: with the tunnel's secret every hidden AVP of a trace comes out as an independent decoder listed
it: Original Length, value and padding. Lists stand in public/oracle_unhidden (by frame) and in
lab/*/hidden-avps-decoded.txt (by header)."""
import ast
import json
import pathlib
import re
import subprocess
import sys

binary, traces = sys.argv[1], pathlib.Path(sys.argv[2])
LINE = re.compile(r"(\S+) (\S+) tid (\d+) sid (\d+) ns (\d+) (\[.*\])$")


def packets(capture, secrets, keys=()):
    command = [binary, "-P", "-V", "-x", "-T", "json", "--show-secrets", "-Y", "l2tp.avp.hidden == 1"]
    command += ["--secrets", str(secrets), str(capture)] + [a for key in keys for a in ("-k", str(key))]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def hidden(packet):
    """Type, Original Length, value and octets of padding of each hidden AVP; nothing behind the type if it stayed closed."""
    found, avp = [], None
    for layer in packet["layers"]:
        for field in layer["fields"] if layer["protocol"] == "l2tp" else ():
            name = field["name"]
            if name == "l2tp.avp.hidden":
                avp = [None] if field["value"] == "1" else None
                if avp:
                    found.append(avp)
            elif avp and name == "l2tp.avp.type" or avp and name.startswith("l2tp.avp.") and name.endswith("stype"):
                avp[0] = int(field["value"])
            elif avp and name == "l2tp.avp.original_length":
                plain = bytes.fromhex(packet["buffers"][field["source"]]["octets"])
                length = int(field["value"])
                avp += [length, plain[field["end"]:field["end"] + length].hex(), 0]
            elif avp and name == "l2tp.avp.hidden_padding":
                avp[3] = field["end"] - field["start"]
    return found


def header(packet):
    fields = {f["name"]: f["value"] for layer in packet["layers"] if layer["protocol"] == "l2tp" for f in layer["fields"][:12]}
    return packet["source"], packet["destination"], *(int(fields[f"l2tp.{name}"]) for name in ("tunnel", "session", "Ns"))


def same(ours, listed):
    """A list may give the begin of long values only."""
    return len(ours) == len(listed) and all(
        len(a) == 4 and (a[0], a[1], a[3]) == (b[0], b[1], b[3]) and b[2] and a[2].startswith(b[2]) or a == b
        for a, b in zip(ours, listed))


def public(path):
    name = path.name.removesuffix(".jsonl")
    folder = path.parent.parent
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    listed = {row["frame"]: [[a["type"], a["orig_len"], a["clear"], a["pad"]] for a in row["avps"] if a["h"]] for row in rows}
    found = packets(folder / "captures" / name, folder / "keys" / f"{name}.secrets.toml")
    return {packet["number"]: hidden(packet) for packet in found}, {k: v for k, v in listed.items() if v}


def lab(path):
    scenario, listed = path.parent, {}
    for line in path.read_text().splitlines():
        if match := LINE.match(line):
            source, destination, *numbers, avps = match.groups()
            rows = [[a[0], a[1], a[2], a[4]] for a in ast.literal_eval(avps) if isinstance(a[0], int)]
            listed[source, destination, *map(int, numbers)] = rows
    capture = next(p for p in (scenario / "outer.pcap", scenario / "outer.pcapng") if p.exists())
    verdict = json.loads((scenario / "verdict.json").read_text())
    keys = [scenario / key for key in verdict.get("keys", []) if (scenario / key).exists()][:1]
    return {header(packet): hidden(packet) for packet in packets(capture, scenario / "secrets.toml", keys)}, listed


lists = [(public, path) for path in sorted(traces.glob("public/oracle_unhidden/*.jsonl"))]
lists += [(lab, path) for path in sorted(traces.glob("lab/*/hidden-avps-decoded.txt"))]
avps = bad = 0
for read, path in lists:
    ours, listed = read(path)
    for place in sorted(ours.keys() | listed.keys(), key=str):
        got, wanted = ours.get(place, []), listed.get(place, [])
        avps += len(wanted)
        if not same(got, wanted):
            bad += 1
            print(f"{path.parent.name}/{path.name}: {place}: {got}, listed {wanted}")
print(f"{avps} hidden AVPs of {len(lists)} traces, {bad} messages differ")
sys.exit(1 if bad or not avps else 0)
