#!/usr/bin/env python3
"""Validates -T sarif of every sample against the schema of SARIF 2.1.0: usage: sarif.py TOOL SAMPLES. The schema is
taken out of a published crate that carries it; skipped where neither network nor the package jsonschema is at hand."""

import io
import json
import pathlib
import subprocess
import sys
import tarfile
import urllib.request

CARRIER = "https://static.crates.io/crates/serde-sarif/serde-sarif-0.8.0.crate"
SCHEMA = "serde-sarif-0.8.0/src/schema.json"


def main():
    tool, samples = sys.argv[1], pathlib.Path(sys.argv[2])
    try:
        import jsonschema

        with urllib.request.urlopen(CARRIER, timeout=20) as answer:
            archive = tarfile.open(fileobj=io.BytesIO(answer.read()))
        schema = json.load(archive.extractfile(SCHEMA))
    except (ImportError, OSError) as why:
        print(f"skipped: {why}")
        return
    validator = jsonschema.validators.validator_for(schema)(schema)
    captures = sorted(samples.glob("*/*/outer.pcap*"))
    wrong = 0
    for capture in captures:
        run = subprocess.run([tool, capture, "-T", "sarif", "--fail-on", "error"], capture_output=True, check=False)
        for error in validator.iter_errors(json.loads(run.stdout)):
            wrong += 1
            print(f"{capture}: {list(error.absolute_path)}: {error.message[:200]}")
    print(f"{len(captures)} logs, {wrong} errors")
    sys.exit(bool(wrong) or not captures)


if __name__ == "__main__":
    main()
