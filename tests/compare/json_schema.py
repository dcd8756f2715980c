#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold `dszero schema` against an independent validator, jsonschema (PyPI; Debian: python3-jsonschema), and
against what DeepSpeed was recorded to answer.

    json_schema.py TOOL [--release R]... [--recordings ../shared/conformance --corpus ../shared/corpus]

Documents that DeepSpeed accepts, written in JSON with values of their own types, must be valid; documents that
it refuses for an unknown key must not be, nor those with a key that it ignores. Exits with 77 where jsonschema is not installed.
"""
import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "data"))
import make_data  # noqa: E402
from documents import BATCH, OLDER, OPEN, Documents  # noqa: E402

try:
    import jsonschema
except ImportError:
    print("skipped: no jsonschema here (pip install jsonschema, or apt-get install python3-jsonschema)")
    sys.exit(77)

NUMBER_PLACES = {"prefetch_bucket_size", "param_persistence_threshold", "model_persistence_threshold",
                 "max_live_parameters", "max_reuse_distance", "gather_16bit_weights_on_model_save",
                 "module_granularity_threshold", "use_all_reduce_for_fetch_params", "allgather_sequential"}
DROPPED = "auto"
NEWEST = "0.19.8"


def no_repetition(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("repeated key")
    return dict(pairs)


def parsed(text):
    """The document if it is JSON whose integers other readers hold too, else None."""
    def no_constant(word):
        raise ValueError(word)
    try:
        return json.loads(text, object_pairs_hook=no_repetition, parse_constant=no_constant)
    except (ValueError, RecursionError):
        return None


def is_native(written, read):
    """Whether DeepSpeed took a value as it was written. `read` is what it made of it."""
    if written == DROPPED:
        return True
    if isinstance(read, dict) and isinstance(written, dict):
        return section_is_native(written, read)
    if isinstance(written, bool) or isinstance(read, bool) or written is None or read is None:
        return type(written) is type(read) or written is None
    if isinstance(written, float) and isinstance(read, int):
        return False
    if isinstance(written, int) and isinstance(read, (int, float)):
        return True
    return type(written) is type(read)


def section_is_native(written, read):
    for key, value in written.items():
        name = key[len("stage3_"):] if key[len("stage3_"):] in NUMBER_PLACES else key
        if key == "strict" and value:
            return False  # keeps "auto", in sections where it counts
        if name in read:
            if not is_native(value, read[name]):
                return False
        elif key not in ("strict", "cpu_offload", "cpu_offload_param", "cpu_offload_use_pin_memory",
                         "stage3_gather_fp16_weights_on_model_save"):
            return False  # "auto" under an unknown key
        elif key != "strict" and value is not None and not isinstance(value, bool) and value != DROPPED:
            return False
    return True


# ---- whole documents: a value's own type is that of the key's default, which documents.py knows

def fits(kind, value):
    if value == DROPPED or (value is None and kind.endswith("?")):
        return True
    kind = kind.rstrip("?")
    if kind in Documents.sections:
        return isinstance(value, dict) and document_fits(kind, value)
    if kind == "z":
        return isinstance(value, (bool, dict))
    if kind == "b":
        return isinstance(value, bool)
    if kind in ("i", "f"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and (kind == "f" or value == int(value))
    if kind == "s":
        return isinstance(value, str)
    if kind == "l":
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return kind == "o" or type(value) in {type(json.loads(word)) for word in kind.split("|")}


def kinds_in(name):
    known = {key: kind for key, kind in Documents.sections[name] if key not in OLDER.get(name, ())}
    return known if name else dict(known, **dict.fromkeys(BATCH, "f?"))


def document_fits(name, section):
    kinds = kinds_in(name)
    return name in OPEN or all(key in kinds and fits(kinds[key], value) for key, value in section.items())


def has_unknown_key(name, section):
    if name in OPEN or name not in Documents.sections or not isinstance(section, dict):
        return False
    kinds = kinds_in(name)
    return any(has_unknown_key(kinds[key].rstrip("?"), value) if key in kinds else key not in ("strict", "$schema") for key, value in section.items())


def recorded_documents(options):
    """Of the newest release: text, whether it is accepted, where it came from."""
    if options.recordings:
        for line in make_data.read(options.recordings / ("document-%s.jsonl.gz" % NEWEST)):
            text = (options.corpus / line["file"]).read_text(encoding="utf-8", errors="replace") if "file" in line and options.corpus else line.get("text")
            yield text, line["ok"], line["id"]
    else:
        for line in make_data.read(make_data.HERE / "document.jsonl.gz")[1:]:
            yield line.get("text"), "set" in list(line["answers"].values())[-1], line["id"]


def check_documents(options):
    """How many whole documents the schema is wrong about."""
    failures = valid = invalid = 0
    validator = validator_for(options.tool, NEWEST)
    zero_validator = jsonschema.Draft7Validator(validator.schema["properties"]["zero_optimization"])
    for text, accepted, name in recorded_documents(options):
        document = parsed(text or "")
        if not isinstance(document, dict):
            continue
        if has_unknown_key("", document):
            invalid += 1
            wrong = validator.is_valid(document)
        elif accepted and document_fits("", document) and zero_validator.is_valid(document.get("zero_optimization", {})):
            valid += 1  # the zero section was asked about by itself
            wrong = not validator.is_valid(document)
        else:
            continue
        if wrong:
            failures += 1
            print("%s: %s is wrong about %s\n  %s" % (NEWEST, options.tool, name, text))
    print("%s: %d whole documents that are accepted are valid, %d with unknown keys are not" % (NEWEST, valid, invalid))
    return failures + (not (valid and invalid))


def validator_for(tool, release):
    schema = json.loads(subprocess.run([tool, "schema", "--deepspeed", release], check=True, stdout=subprocess.PIPE).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("--release", action="append", help="default: the newest and the oldest recorded one")
    parser.add_argument("--recordings", type=pathlib.Path, help="full recordings instead of tests/data")
    parser.add_argument("--corpus", type=pathlib.Path, help="the files that recordings name")
    options = parser.parse_args()
    if options.recordings:
        recordings = {r: lines.values() for r, lines in make_data.load(options.recordings).items()}
        for release in recordings:
            every = make_data.read(options.recordings / ("zero-%s.jsonl.gz" % release))
            recordings[release] = [*recordings[release], *(
                {**line, "text": (options.corpus / line["file"]).read_text(encoding="utf-8", errors="replace")}
                for line in every if "file" in line and options.corpus)]
    else:
        recordings = {r: lines.values() for r, lines in make_data.expanded(make_data.read(make_data.HERE / "zero.jsonl.gz")).items()}
    failures = 0
    for release in options.release or [next(iter(recordings)), list(recordings)[-1]]:
        validator = validator_for(options.tool, release)
        valid = invalid = 0
        for line in recordings[release]:
            document = parsed(line.get("text", "b64"))
            if not isinstance(document, dict):
                continue
            document = {key: document[key] for key in document if key == "zero_optimization"}  # what was judged
            section = document.get("zero_optimization", {})
            if line["ok"] and (isinstance(section, bool) or section_is_native(section, line["value"])):
                valid += 1
                wrong = not validator.is_valid(document)
            elif not line["ok"] and any(e["type"] in ("extra_forbidden", "value_error.extra") for e in line["errors"]):
                invalid += 1
                wrong = validator.is_valid(document)
            else:
                continue
            if wrong:
                failures += 1
                print("%s: %s is wrong about %s\n  %s" % (release, options.tool, line["id"], line.get("text")))
        print("%s: %d accepted documents are valid, %d with unknown keys are not" % (release, valid, invalid))
        if not (valid and invalid):
            failures += 1
    sys.exit(failures + check_documents(options) != 0)


if __name__ == "__main__":
    main()
