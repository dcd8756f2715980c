#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask the real thing: what do hjson, Python's json or DeepSpeed itself make of a text?

    deepspeed_answers.py --reader hjson                   the value that a text stands for
    deepspeed_answers.py --reader json
    deepspeed_answers.py --release 0.19.8                 its zero_optimization section
    deepspeed_answers.py --release 0.14.5 --packages DIR

One JSON object a line on standard input, {"id", "text"} ("b64" for raw bytes instead of "text"),
one answer a line on standard output; an empty line flushes the answers so far.

    reader   {"id", "ok": true, "value"} or {"id", "ok": false, "error", "lineno", …}
    section  {"id", "ok": true, "value", "warnings"} or
             {"id", "ok": false, "stage_of_failure": "read"|"type"|"section", "errors": [{"loc", "type"}, …]}

Needs hjson and pydantic: 1.10 for releases up to 0.14.5, 2 for later ones.  The release is the installed
deepspeed if that has this version, else the unpacked source distribution DIR/RELEASE/deepspeed, of which
only the configuration modules are imported, with stand-ins for torch and the logger (so no torch is needed).
"""
import argparse
import base64
import enum
import importlib
import importlib.metadata
import json
import math
import os
import pathlib
import re
import sys
import types

SECTION = "zero_optimization"


def plain(value):
    """JSON for a value, with floats that JSON lacks as {"float": "nan"}."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return int(value)  # DeepSpeed's pp_int among them
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return plain(value.__dict__)  # a pydantic model


def file_text(line):
    """The text as open(path, "r") would give it: decoded, line ends translated."""
    text = base64.b64decode(line["b64"]).decode("utf-8") if "b64" in line else line["text"]
    return text.replace("\r\n", "\n").replace("\r", "\n")


def place(error):
    return {name: getattr(error, name) for name in ("lineno", "colno", "pos")
            if isinstance(getattr(error, name, None), int)}


class Reader:
    """hjson with a hook that refuses repeated keys, as DeepSpeed has it; or json as it is."""

    def __init__(self, dialect):
        if dialect == "hjson":
            import hjson
            self.loads = lambda text: hjson.loads(text, object_pairs_hook=self.refuse_repeated)
        else:
            self.loads = json.loads

    @staticmethod
    def refuse_repeated(pairs):
        out = dict(pairs)
        if len(out) != len(pairs):
            raise ValueError("repeated keys")
        return out

    def answer(self, line):
        try:
            return {"ok": True, "value": plain(self.loads(file_text(line)))}
        except Exception as error:
            return {"ok": False, "error": type(error).__name__, **place(error)}


class Warnings:
    """Takes the place of DeepSpeed's logger; keeps a tag for each warning."""

    TAGS = ((re.compile(r"^Config parameter (\w+) is deprecated"), "deprecated_field:{}"),
            (re.compile(r"this format of ZeRO optimization setup is deprecated"), "deprecated_boolean_format"),
            (re.compile(r"^ZeRO-3 elastic checkpointing"), "elastic_checkpoint_with_stage_3"))

    def __init__(self):
        self.tags = []

    def warning(self, message, *_, **__):
        for pattern, tag in self.TAGS:
            match = pattern.search(message)
            if match:
                self.tags.append(tag.format(*match.groups()))
                return
        self.tags.append("other_warning")

    def __getattr__(self, name):  # info, error, …
        return lambda *_, **__: None


class AnyAttribute:
    """Stands in for torch: every attribute is some class."""

    __name__ = "torch"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (), {}))
        return self.__dict__[name]


def stand_in(name, folder=None, **members):
    module = types.ModuleType(name)
    if folder is not None:
        module.__path__ = [folder]
    module.__dict__.update(members)
    sys.modules[name] = module


class Section:
    """get_zero_config of one DeepSpeed release."""

    def __init__(self, release, packages):
        self.warnings = Warnings()
        self.config, self.utils, dialect = self.installed(release) or self.unpacked(release, packages)
        if dialect == "hjson":
            import hjson
            self.loads = hjson.loads
        else:
            self.loads = json.loads
        shim = sys.modules.get("deepspeed.pydantic_v1")  # 0.11.2 to 0.14.5
        self.ValidationError = (shim or importlib.import_module("pydantic")).ValidationError

    def installed(self, release):
        try:
            if importlib.metadata.version("deepspeed") != release:
                return None
        except importlib.metadata.PackageNotFoundError:
            return None
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
        import logging
        logging.disable(logging.CRITICAL)
        from deepspeed.runtime import config_utils
        from deepspeed.runtime.zero import config
        config.logger = config_utils.logger = self.warnings
        return config, config_utils, "hjson"

    def unpacked(self, release, packages):
        import pydantic
        wanted = "1" if tuple(map(int, release.split(".")[:2])) < (0, 15) else "2"
        if pydantic.VERSION.split(".")[0] != wanted:
            sys.exit("release %s needs an interpreter with pydantic %s; this one has %s" % (release, wanted, pydantic.VERSION))
        root = os.path.join(packages or "", release, "deepspeed")
        if not packages or not os.path.isdir(root):
            sys.exit("release %s is neither installed nor unpacked below --packages" % release)
        sys.modules["torch"] = AnyAttribute()
        stand_in("deepspeed", root)
        stand_in("deepspeed.utils", logger=self.warnings)
        stand_in("deepspeed.utils.logging", logger=self.warnings)
        for name in ("", ".zero", ".zenflow"):
            stand_in("deepspeed.runtime" + name, os.path.join(root, "runtime", name[1:]))
        config = importlib.import_module("deepspeed.runtime.zero.config")
        utils = importlib.import_module("deepspeed.runtime.config_utils")
        with open(os.path.join(root, "runtime", "config.py"), encoding="utf-8") as source:
            return config, utils, "hjson" if "hjson.load(" in source.read() else "json"

    def answer(self, line):
        self.warnings.tags, self.repeated = [], None
        out = self.judge(line)
        if out["ok"] or self.warnings.tags:
            out["warnings"] = self.warnings.tags
        return out

    def judge(self, line):
        try:
            document = self.loads(file_text(line), object_pairs_hook=self.hook)
        except Exception as error:
            item = {"loc": [], "type": type(error).__name__}
            if self.repeated is not None:
                item["duplicate_keys"] = self.repeated
            return self.refused("read", dict(item, **place(error)))
        if not isinstance(document, dict):  # DeepSpeed trips over it in one way or another
            return self.refused("type", {"loc": [], "type": "AttributeError"})
        try:
            return {"ok": True, "value": plain(self.config.get_zero_config(document))}
        except self.ValidationError as error:
            return self.refused("section", *({"loc": list(e["loc"]), "type": e["type"]} for e in error.errors()))
        except Exception as error:
            item = {"loc": [], "type": type(error).__name__}
            if not isinstance(document.get(SECTION, {}), (dict, bool)):
                return self.refused("type", dict(item, loc=[SECTION]))
            both = re.search(r"deprecated parameter '(\w+)' and replacing parameter '([\w.]+)'", str(error))
            if both:
                item["deprecated"], item["replacement"] = both.groups()
            return self.refused("section", item)

    @staticmethod
    def refused(stage, *errors):
        return {"ok": False, "stage_of_failure": stage, "errors": list(errors)}

    def hook(self, pairs):
        try:
            return self.utils.dict_raise_error_on_duplicate_keys(pairs)
        except ValueError:
            seen = set()
            self.repeated = list(dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key)))
            raise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--reader", choices=("hjson", "json"))
    what.add_argument("--release", help="0.7.0 to 0.19.8")
    parser.add_argument("--packages", metavar="DIR", help="holds unpacked source distributions, DIR/RELEASE/deepspeed")
    options = parser.parse_args()
    answers = Reader(options.reader) if options.reader else Section(options.release, options.packages)
    for raw in sys.stdin:
        if not raw.strip():
            sys.stdout.flush()
            continue
        line = json.loads(raw)
        sys.stdout.write(json.dumps({"id": line["id"], **answers.answer(line)}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
