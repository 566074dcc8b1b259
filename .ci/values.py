#!/usr/bin/env python3
"""Compares every field of every sample with what tshark says of the same packet, decrypted with the keys that are
exported for it: usage: values.py TOOL SAMPLES [LEAST PER CENT]. What differs is printed by field; skipped without tshark."""

import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

FAMILIES = {
    "base": ("eth.", "vlan.", "ip.", "ipv6.", "udp.", "icmp", "esp.", "ah.", "udpencap.", "tcp."),
    "L2TP": ("l2tp.",),
    "PPP": ("ppp.", "lcp.", "pap.", "chap.", "ipcp.", "ipv6cp.", "ccp.", "eap.", "mp."),
    "IKE": ("isakmp.",),
}
# tshark's own view of a whole capture, or of a dialogue, and what only its preferences turn on.
NOT_OF_THE_PACKET = ("tcp.analysis", "tcp.time", "udp.time", "icmp.resp", "udp.stream", "tcp.stream", "tcp.completeness")
# Where the two differ for a reason: sample, fields, reason (docs/tshark-differences.md says more).
EXPLAINED = (
    ("l2tp-ipsec/manual-wrong-authkey", None, "tshark decrypts what fails its ICV"),
    ("l2tp-natt/mapping-expired", None, "tshark's keys go by address, and the address behind the NAT changes"),
    ("l2tp-ipsec/esn-ikev2", ("esp.icv_",), "tshark computes no ICV over extended sequence numbers"),
    ("l2tpv3/", None, "tshark asks for cookie and sublayer, here they are learned or inferred"),
    ("", ("isakmp.enc.",), "tshark names encrypted contents without their octets"),
    ("l2tp-ipsec/mtu-black-hole", ("esp.",), "ESP that an ICMP error quotes is cut, and not opened"),
)
FORM = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=;"]


def rows(command, fields, environment=None):
    for field in ["frame.number", *fields]:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, env=environment, check=False)
    lines = run.stdout.decode(errors="replace").splitlines()
    if not lines:
        sys.exit(f"{command[:6]}: {run.stderr.decode(errors='replace')[:300]}")
    return {cells[0]: cells[1:] for cells in (line.split("\t") for line in lines)}


def names(command):
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return listed


def main():
    tool, samples = sys.argv[1], pathlib.Path(sys.argv[2])
    least = float(sys.argv[3]) if len(sys.argv) > 3 else 0
    if not shutil.which("tshark"):
        print("skipped: no tshark")
        return
    prefixes = tuple(prefix for family in FAMILIES.values() for prefix in family)
    theirs = {line.split("\t")[2] for line in names(["tshark", "-G", "fields"]) if line.startswith("F\t")}
    ours = {line.split()[0] for line in names([tool, "--list-fields"]) if line}
    fields = sorted(
        field for field in theirs & ours if field.startswith(prefixes) and not field.startswith(NOT_OF_THE_PACKET)
    )
    same, all_values, wrong = collections.Counter(), collections.Counter(), collections.Counter()
    example, explained = {}, 0
    captures = sorted(path for path in samples.glob("*/*/outer.pcap*") if "truth" not in path.name)
    for capture in captures:
        name = f"{capture.parent.parent.name}/{capture.parent.name}"
        key = next((path for path in sorted(capture.parent.glob("l?[cs]-xfrm-state.txt"))), None)
        with tempfile.TemporaryDirectory() as home:
            keys = []
            if key:
                keys = ["-k", str(key)]
                subprocess.run([tool, *keys, "--export-esp-sa", f"{home}/esp_sa"], check=True, capture_output=True)
            preferences = ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
            told = rows(
                ["tshark", "-n", "-r", str(capture), *preferences, *FORM],
                fields,
                {"PATH": "/usr/bin:/bin", "WIRESHARK_CONFIG_DIR": home},
            )
        # tshark hides nothing, so nothing is hidden here either.
        said = rows([tool, str(capture), "--show-secrets", *keys, *FORM], fields)
        for number, cells in told.items():
            for field, value, mine in zip(fields, cells, said.get(number, []), strict=False):
                if not value and not mine:
                    continue
                if any(name.startswith(at) and (of is None or field.startswith(of)) for at, of, _ in EXPLAINED):
                    explained += value != mine
                    continue
                family = next(family for family, of in FAMILIES.items() if field.startswith(of))
                all_values[family] += 1
                if value == mine:
                    same[family] += 1
                else:
                    wrong[field] += 1
                    example.setdefault(field, f"{name} packet {number}: tshark {value[:40]!r}, here {mine[:40]!r}")
    for field, count in wrong.most_common(12):
        print(f"{field}: {count} differ; {example[field]}")
    bad = False
    for family in FAMILIES:
        share = 100 * same[family] / max(all_values[family], 1)
        bad |= share < least
        print(f"{family}: {same[family]} of {all_values[family]} values agree ({share:.2f} %)")
    print(f"{len(captures)} samples, {len(fields)} fields; {explained} values differ for a reason (see EXPLAINED)")
    sys.exit(bad)


main()
