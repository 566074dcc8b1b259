#!/usr/bin/env python3
"""exports.py BIN LAB: what is exported of the lab's traces, held against tshark (without keys) and the inner taps."""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

binary, lab = sys.argv[1], pathlib.Path(sys.argv[2])
names = sys.argv[3:]
CHECKS = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
L2TP = "l2tp and not icmp.type == 3 and not icmpv6.type == 1"  # not what ICMP errors quote
BAD = "ip.checksum.status == Bad or udp.checksum.status == Bad"


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, check=True)


def count(file, expression, *options):
    out = run("tshark", "-n", "-r", file, *CHECKS, *options, "-Y", expression, "-T", "fields", "-e", "frame.number").stdout
    return len(out.split())


def with_keys(capture, profile, expression):
    """How many packets tshark finds with the exported table of SAs."""
    out = subprocess.run(
        ["tshark", "-n", "-r", str(capture), "-o", "esp.enable_encryption_decode:TRUE", "-Y", expression,
         "-T", "fields", "-e", "frame.number"],
        capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "WIRESHARK_CONFIG_DIR": str(profile)})
    return len(out.stdout.split())


def export(capture, keys, layer, directory, name):
    out = directory / name
    options = ["-k", keys] if keys else []
    words = run(binary, capture, *options, "--write-decrypted", out, "--layer", layer, "--force").stderr.decode()
    return out, words.strip().splitlines()[-1]


def packets(file):
    """The octets of all packets of a file of raw IP, as a multiset."""
    raw = run("tshark", "-n", "-r", file, "-T", "jsonraw", "-j", "frame").stdout
    return collections.Counter(p["_source"]["layers"]["frame_raw"][0] for p in json.loads(raw or b"[]"))


def fields(capture, keys, expression, *names):
    options = ["-k", keys] if keys else []
    wanted = [part for name in names for part in ("-e", name)]
    return run(binary, capture, *options, "-Y", expression, "-T", "fields", *wanted).stdout


def main():
    if not shutil.which("tshark"):
        print("exports: skipped, there is no tshark")
        return 0
    wrong = checked = compared = same = table = 0
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        for scenario in sorted(lab.iterdir()):
            verdict_file = scenario / "verdict.json"
            if not verdict_file.exists() or (names and scenario.name not in names):
                continue
            verdict = json.loads(verdict_file.read_text())
            captures = [p for p in (scenario / "outer.pcap", scenario / "outer.pcapng") if p.exists()]
            keys = next((scenario / k for k in verdict.get("keys", []) if (scenario / k).exists()), None)
            if not captures or not keys:
                continue
            checked += 1
            capture, problems = captures[0], []
            out, words = export(capture, keys, "ip", directory, "ip.pcapng")
            ours = len(fields(capture, keys, L2TP, "frame.number").split())
            theirs = count(out, L2TP)
            if ours != theirs:
                problems.append(f"{ours} packets with L2TP, tshark finds {theirs}")
            sa, line = directory / "esp_sa", ""
            run(binary, "-k", keys, "--export-esp-sa", sa, "--force")
            profile = directory / "home"
            profile.mkdir(exist_ok=True)
            (profile / "esp_sa").write_bytes(sa.read_bytes())
            opened = with_keys(capture, profile, L2TP)
            if opened == ours:
                table += 1
            else:
                line = f" [esp_sa: tshark finds {opened} of {ours}]"
            # What tshark calls malformed with the keys too is not the export's doing.
            bad, before = count(out, "_ws.malformed"), with_keys(capture, profile, "_ws.malformed")
            if bad > before:
                problems.append(f"{bad} malformed ({before} in the capture)")
            bad, before = count(out, BAD), count(capture, BAD)
            if bad > before:
                problems.append(f"{bad} with a bad checksum ({before} in the capture)")
            tap = scenario / "inner-l2tp.pcap"
            if tap.exists():
                compared += 1
                mine, _ = export(capture, keys, "inner", directory, "inner.pcapng")
                other, _ = export(tap, None, "inner", directory, "tap.pcapng")
                here, there = packets(mine), packets(other)
                if here == there:
                    same += 1
                else:
                    line += (f" [inner: {here.total()} here, {there.total()} at the tap,"
                             f" {(here - there).total()} only here, {(there - here).total()} only there]")
            if problems:
                wrong += 1
            if problems or line:
                print(f"{scenario.name}: {'; '.join(problems)}{line} ({words.split(': ', 2)[-1]})")
    print(f"{checked - wrong} of {checked} decrypted exports are what tshark finds in them;"
          f" {same} of {compared} hold the same users' packets as the inner tap;"
          f" with {table} of {checked} exported tables tshark decrypts all")
    return 1 if wrong or not checked else 0


sys.exit(main())
