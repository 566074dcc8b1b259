#!/usr/bin/env python3
"""proofs.py BIN LAB: with the right passwords every authentication of a trace is proved as the daemons' logs say, with
others every one is refuted."""
import json
import pathlib
import subprocess
import sys
import tempfile

binary, lab = sys.argv[1], pathlib.Path(sys.argv[2])
RULES = ("ppp-auth-response-wrong", "ppp-auth-success-wrong")
# The pppd that refuses says "Peer alice failed CHAP authentication", the one that is refused "CHAP authentication failed".
SAYS = {"success": ("authentication succeeded",), "failure": ("authentication failed", "failed CHAP authentication")}
JUDGED = {"success": ("note", "possible"), "failure": ("error", "certain"), None: ("warning", "possible")}


def report(scenario, verdict, secrets):
    capture = next(p for p in (scenario / "outer.pcap", scenario / "outer.pcapng") if p.exists())
    keys = [scenario / k for k in verdict.get("keys", []) if (scenario / k).exists()][:1]
    command = [binary, "-T", "json", "--secrets", str(secrets), str(capture)]
    command += [a for k in keys for a in ("-k", str(k))]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["captures"][0]
    calls = [call for connection in found["control_connections"] for call in connection["calls"]]
    logins = [call["ppp"]["authentication"] for call in calls]
    return [login for login in logins if login], [f for f in found["findings"] if f["rule"] in RULES]


def faults(scenario, other):
    verdict = json.loads((scenario / "verdict.json").read_text())
    truth = json.loads((scenario / "manifest.json").read_text())["truth"]
    log = " ".join(line for part in truth.values() if isinstance(part, dict) for line in part.get("results", []))
    logins, findings = report(scenario, verdict, scenario / "secrets.toml")
    decided = [login for login in logins if login["outcome"]]
    for login in decided:
        mutual = login["protocol"] == "MS-CHAPv2" and login["outcome"] == "success"
        if login["proof"] != ("mutual" if mutual else "proved"):
            yield f"{login['protocol']} of {login['name']}: {login['proof']}"
        # Where the client is scripted, nobody logs what it heard.
        if "lac_pppd" in truth and not any(line in log for line in SAYS[login["outcome"]]):
            yield f"{login['outcome']}, and the log of no daemon says so"
    if verdict["class"] != "partial" and not decided and SAYS["success"][0] in log and "midcapture" not in scenario.name:
        yield "a daemon logged an authentication, and the report has none"
    for finding in findings:
        yield f"{finding['rule']} is raised with the right passwords"
    refuted, findings = report(scenario, verdict, other)
    for login in refuted:
        if login["outcome"] and login["proof"] != "wrong-password":
            yield f"{login['protocol']} of {login['name']} with another password: {login['proof']}"
    # An authenticator that accepts it shows that the file is wrong; where it says nothing, one of both is.
    judged = [login["outcome"] for login in refuted if login["proof"] == "wrong-password"]
    if len(findings) != len(judged):
        yield f"{len(judged)} authentications with another password, {len(findings)} findings"
    wanted = sorted(JUDGED[outcome] for outcome in judged)
    if wanted != sorted((finding["severity"], finding["certainty"]) for finding in findings):
        yield "another password is not judged by what the authenticator said"
    totals["proved"] += len(decided)


totals, bad, checked = {"proved": 0}, 0, 0
with tempfile.TemporaryDirectory() as folder:
    for scenario in sorted(lab.iterdir()):
        secrets = scenario / "secrets.toml"
        if not secrets.exists() or "[[user]]" not in secrets.read_text():
            continue
        other = pathlib.Path(folder) / f"{scenario.name}.toml"
        lines = secrets.read_text().splitlines()
        other.write_text("\n".join('password = "no-such"' if line.startswith("password") else line for line in lines))
        checked += 1
        for fault in faults(scenario, other):
            bad += 1
            print(f"{scenario.name}: {fault}")
print(f"{totals['proved']} authentications of {checked} traces proved and refuted, {bad} faults")
sys.exit(1 if bad or not totals["proved"] else 0)
