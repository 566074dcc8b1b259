#!/usr/bin/env python3
"""Compares where in the frame each field of every sample stands with tshark's PDML: usage: positions.py TOOL SAMPLES.
Fields of decrypted octets are left out: tshark counts them in buffers of its own. Skipped without tshark."""

import collections
import json
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# tshark cuts the IV of a cipher that it cannot know off at four octets.
EXPLAINED = {"isakmp.enc.data"}


def places_in_json(fields, found):
    for field in fields:
        if field.get("source") == 0:
            found[field["name"]].append((field["start"], field["end"] - field["start"]))
        else:
            found[field["name"]].append(None)
        places_in_json(field.get("fields", []), found)
    return found


def places_in_pdml(packet):
    found = collections.defaultdict(list)
    for field in packet.iter("field"):
        found[field.get("name")].append((int(field.get("pos") or -1), int(field.get("size") or 0)))
    return found


def main():
    tool, samples = sys.argv[1], pathlib.Path(sys.argv[2])
    if not shutil.which("tshark"):
        print("skipped: no tshark")
        return
    same, wrong, example = 0, collections.Counter(), {}
    for capture in sorted(samples.glob("*/*/outer.pcap*")):
        ours = subprocess.run([tool, "-V", "-T", "json", capture], capture_output=True, check=False).stdout
        theirs = subprocess.run(["tshark", "-r", capture, "-T", "pdml"], capture_output=True, check=True).stdout
        pdml = ElementTree.fromstring(theirs).findall("packet")
        for packet in json.loads(ours):
            expected = places_in_pdml(pdml[packet["number"] - 1])
            found = collections.defaultdict(list)
            for layer in packet["layers"]:
                places_in_json(layer["fields"], found)
            for name, places in found.items():
                if name in EXPLAINED or name.startswith("frame.") or len(places) != len(expected[name]):
                    continue
                for here, there in zip(places, expected[name]):
                    if here is None or here == there:
                        same += here is not None
                    else:
                        wrong[name] += 1
                        example.setdefault(name, f"{capture} packet {packet['number']}: {here}, tshark {there}")
    for name, count in wrong.most_common():
        print(f"{name}: {count} stand elsewhere, as in {example[name]} (start, octets)")
    print(f"{same} fields stand where tshark says, {sum(wrong.values())} elsewhere")
    sys.exit(bool(wrong) or not same)


if __name__ == "__main__":
    main()
