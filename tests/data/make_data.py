#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the compact files beside this script from full recordings of what DeepSpeed and hjson-py answer.

    make_data.py --recordings ../shared/conformance            zero.jsonl.gz, document.jsonl.gz, reader.jsonl.gz, schedulers.jsonl.gz
    make_data.py --more DIR                                    zero-more.jsonl.gz
    make_data.py --recordings … --more … --verify              expand the files again and compare

A recording is DIR/zero-RELEASE.jsonl.gz: lines of {"id", "text" or "b64", …} with the answer as
tests/compare/deepspeed_answers.py --release RELEASE gives it.  Lines with "file" (other people's
files) are left out.  Same input, same bytes.  README.md has the format.
"""
import argparse
import gzip
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
NESTED = ("offload_param", "offload_optimizer", "zenflow", "leaf_module")


def order(release):
    return tuple(map(int, release.split(".")))


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def write(path, lines):
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    with open(path, "wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as packed:  # neither name nor time inside
        packed.write(text.encode("ascii"))
    print("%s: %d lines, %d bytes" % (path.name, len(lines), path.stat().st_size))


# ---- one answer

def same(a, b):
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)  # 3, 3.0 and true differ


def packed(answer, defaults):
    """The answer without what the release's defaults say already."""
    out = {}
    if answer["ok"]:
        value, usual = answer["value"], defaults[""]
        changed = {k: v for k, v in value.items() if k not in usual or not same(v, usual[k])}
        for name in NESTED:
            if isinstance(changed.get(name), dict):
                changed[name] = {k: v for k, v in changed[name].items() if not same(v, defaults[name][k])}
        gone = [k for k in usual if k not in value]
        out.update({"set": changed} if changed else {}, **({"gone": gone} if gone else {}))
    else:
        out.update(stage=answer["stage_of_failure"], errors=answer["errors"])
    if answer.get("warnings"):
        out["warnings"] = answer["warnings"]
    return out


def unpacked(answer, defaults):
    if "errors" in answer:
        out = {"ok": False, "stage_of_failure": answer["stage"], "errors": answer["errors"]}
        if "warnings" in answer:
            out["warnings"] = answer["warnings"]
        return out
    value = {k: v for k, v in defaults[""].items() if k not in answer.get("gone", ())}
    for k, v in answer.get("set", {}).items():
        value[k] = {**defaults[k], **v} if k in NESTED and isinstance(v, dict) else v
    return {"ok": True, "value": value, "warnings": answer.get("warnings", [])}


# ---- one file for several releases

def defaults_of(recording):
    """The sections that an empty document and empty nested sections give."""
    by_text = {line["text"]: line for line in recording.values() if "text" in line}
    out = {"": by_text["{}"]["value"]}
    for name in NESTED:
        line = by_text['{"zero_optimization": {"stage": 3, "%s": {}}}' % name]
        if line["ok"]:
            out[name] = line["value"][name]
    return out


def load(folder, but=()):
    """{release: {id: line}} of every release recorded in a folder."""
    found = {p.name[len("zero-"):-len(".jsonl.gz")] for p in pathlib.Path(folder).glob("zero-*.jsonl.gz")}
    releases = sorted(found - set(but), key=order)
    return {r: {line["id"]: line for line in read(pathlib.Path(folder, "zero-%s.jsonl.gz" % r)) if "file" not in line} for r in releases}


def merged(recordings, wanted):
    releases = list(recordings)
    defaults = {r: defaults_of(recordings[r]) for r in releases}
    lines = [{"releases": releases, "defaults": defaults}]
    for id_ in dict.fromkeys(id_ for r in releases for id_ in recordings[r]):
        if not wanted(id_):
            continue
        having = [r for r in releases if id_ in recordings[r]]
        line = {k: recordings[having[0]][id_][k] for k in ("id", "text", "b64") if k in recordings[having[0]][id_]}
        if len(having) == 1:
            line["only"] = having[0]
        elif having != releases:
            sys.exit("%s: recorded for some releases only" % id_)
        line["answers"], before = {}, None
        for r in having:
            answer = packed(recordings[r][id_], defaults[r])
            if before is None or not same(answer, before):
                line["answers"][r] = before = answer
        lines.append(line)
    return lines


def expanded(lines):
    """{release: {id: line}}, what merged() was given."""
    head, out = lines[0], {r: {} for r in lines[0]["releases"]}
    for line in lines[1:]:
        answer = None
        for r in [line["only"]] if "only" in line else head["releases"]:
            answer = line["answers"].get(r, answer)
            out[r][line["id"]] = {**{k: line[k] for k in ("id", "text", "b64") if k in line}, **unpacked(answer, head["defaults"][r])}
    return out


# ---- whole documents

def documents(folder):
    """One line a document with what each release answers, as zero.jsonl.gz has it; attributes that the newest release has."""
    found = {p.name[len("document-"):-len(".jsonl.gz")]: p for p in pathlib.Path(folder).glob("document-*.jsonl.gz")}
    releases = sorted(found, key=order)
    recordings = {r: {line["id"]: line for line in read(found[r]) if "file" not in line} for r in releases}
    newest = releases[-1]
    names = next(line["value"] for line in recordings[newest].values() if line["ok"])

    def value(line):
        return {k: v for k, v in line["value"].items() if k in names}

    def smallest(r):
        return value(next(line for line in recordings[r].values() if line.get("text") == '{"train_micro_batch_size_per_gpu": 2, "comment": "x"}'))

    defaults = {r: smallest(r) for r in releases}
    lines = [{"releases": releases, "defaults": defaults}]
    for id_, first in recordings[newest].items():
        line = {k: first[k] for k in ("id", "text", "b64", "world_size") if k in first}
        line["answers"], before = {}, None
        for r in releases:
            own = recordings[r][id_]
            if own["ok"]:
                answer = {"set": {k: v for k, v in value(own).items() if not same(v, defaults[r][k])}}
            else:
                answer = {"refused": own["check"] if r == newest else ""}
            if before is None or not same(answer, before):
                line["answers"][r] = before = answer
        lines.append(line)
    return lines


# ---- the smaller selection

def kind_of(line):
    if line["ok"]:
        return "accepted", tuple(sorted(set(line["warnings"])))
    return line["stage_of_failure"], tuple(sorted({("/".join(map(str, e["loc"])), e["type"]) for e in line["errors"]}))


def selection(recordings):
    """Some of every group: first one text of each way in which the releases differ on it, then evenly spread ones."""
    groups = {}
    for id_ in next(iter(recordings.values())):
        group = id_.rsplit("/", 1)[0]
        if not group.startswith("random-0."):
            groups.setdefault(group, []).append(id_)
    chosen = set()
    for group, ids in groups.items():
        quota = {"random-1": 150, "syntax": 90, "checks": 60, "odd_key": 60, "boolean_form": 35, "strict": 30, "section_type": 30, "duplicates": 20}.get(group, 10)
        ways = {}
        for id_ in ids:
            ways.setdefault(tuple(kind_of(recordings[r][id_]) for r in recordings), id_)
        first = sorted(ways.values(), key=lambda id_: len({kind_of(recordings[r][id_]) for r in recordings}), reverse=True)[:quota]
        rest = quota - len(first)
        chosen.update(first, ids[::max(1, -(-len(ids) // rest))] if rest else ())
    for r in recordings:  # and documents with that release's own keys
        chosen.update(id_ for id_ in recordings[r] if id_.startswith("random-%s-" % r) and int(id_.rsplit("/", 1)[1]) < 12)
    return chosen


# ----

def check(name, lines, recordings, wanted=lambda id_: True):
    again = expanded(lines)
    for r in recordings:
        expected = {id_: line for id_, line in recordings[r].items() if wanted(id_)}
        if again[r].keys() != expected.keys():
            sys.exit("%s: other ids for %s" % (name, r))
        for id_, line in expected.items():
            if not same(again[r][id_], line):
                sys.exit("%s: %s differs for %s" % (name, id_, r))
        print("%s: %s, %d answers as recorded" % (name, r, len(expected)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", metavar="DIR", help="has zero-RELEASE.jsonl.gz files and reader-hjson-3.1.0.jsonl.gz")
    parser.add_argument("--more", metavar="DIR", help="likewise, for the releases that zero.jsonl.gz lacks: a selection")
    parser.add_argument("--verify", action="store_true", help="write nothing; compare the files with the recordings")
    options = parser.parse_args()
    if options.recordings:
        reader = read(pathlib.Path(options.recordings, "reader-hjson-3.1.0.jsonl.gz"))
        schedulers = read(pathlib.Path(options.recordings, "schedulers", "deepspeed-0.19.8.jsonl.gz"))
        recordings = load(options.recordings)
        if options.verify:
            check("zero.jsonl.gz", read(HERE / "zero.jsonl.gz"), recordings)
            if read(HERE / "document.jsonl.gz") != documents(options.recordings):
                sys.exit("document.jsonl.gz differs")
            if read(HERE / "reader.jsonl.gz") != reader:
                sys.exit("reader.jsonl.gz differs")
            if read(HERE / "schedulers.jsonl.gz") != schedulers:
                sys.exit("schedulers.jsonl.gz differs")
            print("reader.jsonl.gz: %d answers as recorded" % len(reader))
        else:
            write(HERE / "zero.jsonl.gz", merged(recordings, lambda id_: True))
            write(HERE / "document.jsonl.gz", documents(options.recordings))
            write(HERE / "reader.jsonl.gz", reader)
            write(HERE / "schedulers.jsonl.gz", schedulers)
    if options.more:
        recordings = load(options.more, but=read(HERE / "zero.jsonl.gz")[0]["releases"])
        chosen = selection(recordings)
        if options.verify:
            check("zero-more.jsonl.gz", read(HERE / "zero-more.jsonl.gz"), recordings, chosen.__contains__)
        else:
            write(HERE / "zero-more.jsonl.gz", merged(recordings, chosen.__contains__))
    if not (options.recordings or options.more):
        parser.error("nothing to do: --recordings or --more")


if __name__ == "__main__":
    main()
