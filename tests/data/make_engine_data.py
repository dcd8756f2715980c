#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make engine/*.json.gz from recordings of the real engine: shared/conformance/engine/*.json, whose README
has the format. What the replay does not read is left out, and whole masters and moments where they would
take more than samples are worth. Same input, same bytes.

    make_engine_data.py --recordings ../shared/conformance/engine
"""
import argparse
import gzip
import json
import pathlib

HERE = pathlib.Path(__file__).parent
LARGEST_WITH_WHOLE_STATES = 23_000  # bytes
KEPT = ("name", "world", "scenario", "ds_config", "params", "exec", "layout_per_rank", "sample_index", "steps", "full",
        "not_a_reference")


def pack(scenario):
    text = json.dumps(scenario, separators=(",", ":"))
    return gzip.compress(text.encode("ascii"), 9, mtime=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=pathlib.Path, required=True)
    total = 0
    for path in sorted(parser.parse_args().recordings.glob("*.json")):
        recorded = json.loads(path.read_text())
        if "scenario" not in recorded:
            continue
        scenario = {key: recorded[key] for key in KEPT if key in recorded}
        packed = pack(scenario)
        if len(packed) > LARGEST_WITH_WHOLE_STATES:
            packed = pack(scenario | {"full": {}})
        (HERE / "engine" / (path.name + ".gz")).write_bytes(packed)
        total += len(packed)
    print(total, "bytes")


if __name__ == "__main__":
    main()
