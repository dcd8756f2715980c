#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare dszero with the real thing on fresh texts: generated ones, and real files mutated.

Four questions are asked, the first three of the same texts:
    reader-hjson   its value: hjson-py (with DeepSpeed's hook against repeated keys) and dszero_read
    reader-json    its value: Python's json and dszero_read --dialect json
    zero           its zero_optimization section: DeepSpeed's get_zero_config and dszero check; verdict, value,
                   set of warnings, and of a refusal the set of error locations; once per --release
    document       whole documents: DeepSpeedConfig and dszero check; verdict, attributes, set of warnings, and of a
                   refusal by the newest release what it stops at; once per --release and --world-size

Prints a table, writes disagreements (smallest first, made smaller where that is quick) to a file and
exits with 1 if there are any.  The same --seed, --count, --release and --corpus ask the same texts.

Examples:
    pip install deepspeed==0.19.8                  # brings torch, hjson and pydantic 2
    against_deepspeed.py --dszero build/dszero
    against_deepspeed.py --count 5000 --seed 7 --ask zero --corpus ~/ds_configs
    against_deepspeed.py --texts disagreements.jsonl                            # ask those again

    # Other releases: unpacked source distributions below DIR, DIR/0.14.5/deepspeed/...  (torch is not needed
    # for these); up to 0.14.5 with an interpreter that has pydantic<2 and hjson.
    DS_BUILD_OPS=0 pip download --no-deps --no-binary :all: --no-build-isolation deepspeed==0.14.5
    against_deepspeed.py --release 0.14.5 --release 0.18.9 --packages DIR --python-v1 v1/bin/python

    # Whole documents need each release's package with all that it imports, torch among it.
    against_deepspeed.py --ask document --count 20000 --world-size 1 --world-size 8
    against_deepspeed.py --ask document --release 0.14.5 --packages DIR --python-v1 v1/bin/python

    # Without dszero: record what the real thing answers.
    against_deepspeed.py --count 1000 --only-oracle answers.jsonl

Left out (and counted as skipped): texts nested deeper than 480 levels, where hjson-py runs out of stack.
Where hjson-py crashes on itself (IndexError, RecursionError) DeepSpeed refuses the text, and so must dszero.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading

from documents import Documents
from texts import Texts, version

DEEPEST = 480
ORACLE = str(pathlib.Path(__file__).with_name("deepspeed_answers.py"))
DOCUMENT_ORACLE = str(pathlib.Path(__file__).with_name("deepspeed_documents.py"))
NEWEST = "0.19.8"
KINDS = ("verdict", "value", "warnings", "pointers", "check", "no answer")
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # answers may hold very long integers


# ---- asking

def lines_of(texts):
    return "".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts))


class Oracle:
    """The real thing in a process of its own, which stays for the whole run (importing it takes seconds)."""

    def __init__(self, command):
        self.command = command
        self.process = None

    def ask(self, texts):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        # written by a thread: the answers have to be read meanwhile, lest both sides wait on a full pipe
        writer = threading.Thread(target=self.send, args=(lines_of(texts) + "\n",))
        writer.start()
        answers = []
        for _ in texts:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("no answer from: " + " ".join(self.command))
            answers.append(json.loads(line))
        writer.join()
        return answers

    def send(self, lines):
        try:
            self.process.stdin.write(lines)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # ask() will notice

    def close(self):
        if self.process is not None:
            self.process.communicate()


class Subject:
    """Ours: one process per batch, so that a crash shows and costs little."""

    def __init__(self, command):
        self.command = command

    def ask(self, texts):
        run = subprocess.run(self.command, input=lines_of(texts), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
        found = {}
        for line in run.stdout.splitlines():
            try:
                answer = json.loads(line)
                found[answer.get("file", answer.get("id"))] = answer
            except ValueError:
                pass  # cut off by a crash
        if run.returncode >= 2 and not found:  # not a crash: it was called wrongly
            sys.exit("%s\n%s" % (" ".join(self.command), run.stderr))
        if len(found) == len(texts):
            return [found[str(i)] for i in range(len(texts))]
        if len(texts) == 1:
            return [{"no answer": "exit status %d: %s" % (run.returncode, (run.stderr or run.stdout)[-500:])}]
        half = len(texts) // 2
        return self.ask(texts[:half]) + self.ask(texts[half:])


# ---- what both sides said, in the same words

def saturated(value):
    """dszero holds integers in 64 bits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-2**63, min(2**63 - 1, value))
    if isinstance(value, dict):
        return {k: saturated(v) for k, v in value.items()}
    if isinstance(value, list):
        return [saturated(v) for v in value]
    return value


def pointer(stage, loc):
    """pydantic's location as a JSON pointer, without the step that names a union's branch."""
    if stage == "read" or (stage == "type" and not loc):
        return ""
    if stage == "type":
        loc = []
    if len(loc) == 3 and loc[1] in ("select_interval", "update_interval"):
        loc = loc[:2]
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in ["zero_optimization"] + loc)


class ReaderQuestion:

    def __init__(self, options, dialect):
        self.name = "reader-" + dialect
        self.oracle = Oracle([options.python, ORACLE, "--reader", dialect])
        # DeepSpeed's hook refuses repeated keys; Python's json takes the last one
        keys = ["--last-key-wins"] if dialect == "json" else []
        self.subject = Subject([options.dszero_read, "--dialect", dialect] + keys)

    def expected(self, answer):
        return {"verdict": answer["ok"], "value": answer.get("value")}

    got = expected


class ZeroQuestion:

    def __init__(self, options, release):
        self.name = "zero " + release
        old = version(release) < (0, 15)
        packages = ["--packages", options.packages] if options.packages else []
        self.oracle = Oracle([options.python_v1 if old else options.python, ORACLE, "--release", release] + packages)
        self.subject = Subject([options.dszero, "check", "--section", "zero_optimization", "--deepspeed", release, "--format", "json", "--jsonl"])

    def expected(self, answer):
        stage = answer.get("stage_of_failure")
        return {"verdict": answer["ok"], "value": saturated(answer.get("value")),
                "warnings": sorted(set(answer.get("warnings", ()))),
                "pointers": sorted({pointer(stage, e["loc"]) for e in answer.get("errors", ())})}

    def got(self, answer):
        return {"verdict": answer["accepted"], "value": answer["zero_optimization"], "warnings": sorted(set(answer["warnings"])),
                "pointers": sorted({d["pointer"] for d in answer["diagnostics"] if d["severity"] == "error"})}


class DocumentQuestion:

    def __init__(self, options, release, world_size):
        self.name = "document %s at %d" % (release, world_size)
        self.newest = release == NEWEST
        python = options.python_v1 if version(release) < (0, 15) else options.python
        package = ["--package", os.path.join(options.packages, release)] if options.packages and not self.newest else []
        ranks = ["--world-size", str(world_size)]
        self.oracle = Oracle([python, DOCUMENT_ORACLE] + ranks + package)
        self.subject = Subject([options.dszero, "check", "--deepspeed", release, "--accelerator", "cpu", "--format", "json", "--jsonl"] + ranks)

    def expected(self, answer):
        return {"verdict": answer["ok"], "value": saturated(answer.get("value")), "check": answer.get("check") if self.newest else None,
                "warnings": sorted(set(answer["warnings"])) if answer["ok"] else []}

    def got(self, answer):
        if not answer["accepted"] and sum(d.get("first", False) for d in answer["diagnostics"]) != 1:
            return {"no answer": "not one diagnostic is the first"}
        return {"verdict": answer["accepted"], "value": saturated(answer["document"]), "check": answer["first_check"] if self.newest else None,
                "warnings": sorted(set(answer["warnings"])) if answer["accepted"] else []}


def compared(expected, got):
    """The attributes that both sides have: each names some that the other keeps elsewhere. sparse_attention is
    among the removed keys that dszero keeps as written."""
    if isinstance(expected.get("value"), dict) and isinstance(got.get("value"), dict) and "train_batch_size" in expected["value"]:
        both = (expected["value"].keys() & got["value"].keys()) - {"sparse_attention"}
        return [dict(side, value={k: side["value"][k] for k in both}) for side in (expected, got)]
    return expected, got


def difference(expected, got):
    """The first kind in which the two differ, or None.  As JSON text: there 3, 3.0 and true are three things."""
    if "no answer" in got:
        return "no answer"
    for kind in expected:
        if expected[kind] != got[kind] or json.dumps(expected[kind], sort_keys=True) != json.dumps(got[kind], sort_keys=True):
            return kind
    return None


def compare(question, texts, pool):
    """For each text (kind of difference or None, what was expected, what we got)."""
    ours = pool.submit(question.subject.ask, texts)
    out = []
    for theirs, mine in zip(question.oracle.ask(texts), ours.result()):
        expected = question.expected(theirs)
        got = mine if "no answer" in mine else question.got(mine)
        expected, got = compared(expected, got)
        out.append((difference(expected, got), expected, got))
    return out


def minimised(question, kind, text, pool):
    """Cut pieces out for as long as the two still differ in the same way."""
    size, rounds = len(text) // 2, 0
    while size and rounds < 100:
        candidates = [text[:at] + text[at + size:] for at in range(0, len(text), size)]
        rounds += 1
        for candidate, (found, _, _) in zip(candidates, compare(question, candidates, pool)):
            if found == kind:
                text = candidate
                break
        else:
            size //= 2
        size = min(size, len(text) // 2) if len(text) > 1 else 0
    return text


# ---- the run

def too_deep(text):
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = deepest = 0
    for c in text:
        depth += (c in "[{") - (c in "]}" and depth > 0)
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def batches(options):
    """Lists of (id, text) without repetitions."""
    if options.texts:
        with open(options.texts, encoding="utf-8") as lines:
            source = [(line["id"], line.get("minimised", line["text"])) for line in map(json.loads, lines)]
    else:
        texts = (Documents if options.ask == ["document"] else Texts)(options.seed, options.release, options.corpus)
        source = map(texts.text, itertools.count())
    seen, batch = set(), []
    for id_, text in source:
        if text not in seen:
            seen.add(text)
            batch.append((id_, text))
        if len(seen) == options.count and not options.texts:
            break
        if len(batch) == options.batch:
            yield batch
            batch = []
    if batch:
        yield batch


def record(questions, options):
    """--only-oracle: no comparison."""
    with open(options.only_oracle, "w", encoding="utf-8") as out:
        for batch in batches(options):
            batch = [(id_, text) for id_, text in batch if not too_deep(text)]
            for question in questions:
                for (id_, text), answer in zip(batch, question.oracle.ask([text for _, text in batch])):
                    line = {"question": question.name, "id": id_, "text": text, "expected": question.expected(answer)}
                    out.write(json.dumps(line) + "\n")


def run(questions, options):
    counts = {q.name: dict.fromkeys(("texts", "skipped", "agreed") + KINDS, 0) for q in questions}
    wrong = []
    done = 0
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for batch in batches(options):
            kept = [(id_, text) for id_, text in batch if not too_deep(text)]
            for question in questions:
                count = counts[question.name]
                count["texts"] += len(batch)
                count["skipped"] += len(batch) - len(kept)
                for (id_, text), (kind, expected, got) in zip(kept, compare(question, [text for _, text in kept], pool)):
                    count[kind or "agreed"] += 1
                    if kind:
                        wrong.append({"question": question.name, "kind": kind, "id": id_, "text": text, "expected": expected, "got": got})
            done += len(batch)
            if sys.stderr.isatty():
                print("\r%d texts, %d disagreements " % (done, len(wrong)), end="\n" * (done == options.count), file=sys.stderr, flush=True)
        wrong.sort(key=lambda line: len(line["text"]))
        by_name = {q.name: q for q in questions}
        tried = collections.Counter()
        for line in wrong:
            question = by_name[line["question"]]
            tried[line["question"], line["kind"]] += 1
            if tried[line["question"], line["kind"]] > options.minimise:
                continue
            line["minimised"] = minimised(question, line["kind"], line["text"], pool)
            _, line["expected"], line["got"] = compare(question, [line["minimised"]], pool)[0]
    wrong.sort(key=lambda line: len(line.get("minimised", line["text"])))
    return counts, wrong


def report(counts, wrong, options):
    columns = ("texts", "skipped", "agreed") + KINDS
    print("%-22s" % "" + "".join("%11s" % c for c in columns))
    for name, count in counts.items():
        print("%-22s" % name + "".join("%11d" % count[c] for c in columns))
    if not wrong:
        return
    with open(options.disagreements, "w", encoding="utf-8") as out:
        for line in wrong:
            out.write(json.dumps(line) + "\n")
    shown = set()
    for line in wrong:
        what = line["question"], line["kind"], line.get("minimised", line["text"])
        if what in shown or len(shown) == 8:
            continue
        shown.add(what)
        print("\n%s, %s: %s" % (line["question"], line["kind"], json.dumps(line.get("minimised", line["text"]))[:300]))
        for side in ("expected", "got"):
            said = line[side].get(line["kind"], line[side])
            other = line["got" if side == "expected" else "expected"].get(line["kind"])
            if isinstance(said, dict) and isinstance(other, dict):  # only the members that differ
                said = {k: v for k, v in said.items() if json.dumps(v) != json.dumps(other.get(k, "(absent)"))}
            print("  %-8s %s" % (side, json.dumps(said)[:300]))
    print("\n%d disagreements, smallest first: %s" % (len(wrong), options.disagreements))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dszero", default="build/dszero", help="the tool (default: %(default)s)")
    parser.add_argument("--dszero-read", help="the reader's test program (default: beside the tool)")
    parser.add_argument("--ask", action="append", choices=("reader-hjson", "reader-json", "zero", "document"), help="ask only this; may be repeated, but for document")
    parser.add_argument("--release", action="append", help="for zero and document; may be repeated (default: 0.19.8)")
    parser.add_argument("--world-size", action="append", type=int, metavar="N", help="for document; may be repeated (default: 1 and 8)")
    parser.add_argument("--packages", metavar="DIR", help="unpacked source distributions of DeepSpeed, DIR/RELEASE/deepspeed")
    parser.add_argument("--python", default=sys.executable, help="interpreter with hjson and pydantic 2 (default: this one)")
    parser.add_argument("--python-v1", metavar="PYTHON", default=sys.executable, help="interpreter with hjson and pydantic 1.10, for releases up to 0.14.5")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100000, help="how many different texts (default: %(default)s)")
    parser.add_argument("--corpus", metavar="DIR", help="real files to mutate: *.json, *.hjson, *.config below DIR")
    parser.add_argument("--texts", metavar="FILE", help="ask these instead: lines with \"id\" and \"text\"")
    parser.add_argument("--only-oracle", metavar="FILE", help="do not compare; write the real answers to FILE")
    parser.add_argument("--disagreements", metavar="FILE", default="disagreements.jsonl", help="default: %(default)s")
    parser.add_argument("--minimise", type=int, metavar="N", default=10, help="make the N smallest disagreements of each kind smaller (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=4000, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.release = options.release or [NEWEST]
    if options.ask and "document" in options.ask and len(options.ask) > 1:
        parser.error("document is asked about texts of its own: ask it alone")
    options.dszero = os.path.abspath(options.dszero)
    options.dszero_read = os.path.abspath(options.dszero_read or os.path.join(os.path.dirname(options.dszero), "dszero_read"))
    if options.packages:
        options.packages = os.path.abspath(options.packages)

    asked = options.ask or ["reader-hjson", "reader-json", "zero"]
    questions = [ReaderQuestion(options, dialect) for dialect in ("hjson", "json") if "reader-" + dialect in asked]
    questions += [ZeroQuestion(options, release) for release in options.release if "zero" in asked]
    questions += [DocumentQuestion(options, release, n) for release in options.release for n in options.world_size or (1, 8) if "document" in asked]
    for question in questions if not options.only_oracle else ():
        program = question.subject.command[0]
        if not os.access(program, os.X_OK):
            parser.error("%s: no such program; build it, or see --dszero and --only-oracle" % program)
    try:
        if options.only_oracle:
            record(questions, options)
            return 0
        counts, wrong = run(questions, options)
        report(counts, wrong, options)
        return 1 if wrong else 0
    finally:
        for question in questions:
            question.oracle.close()


if __name__ == "__main__":
    sys.exit(main())
