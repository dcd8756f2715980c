#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold `dszero resolve` against transformers' own HfTrainerDeepSpeedConfig.

    hf_resolve.py --record FILE [--count 240] [--seed 1]    ask transformers (pip install transformers deepspeed
                                                            accelerate) what it makes of documents with "auto"
    hf_resolve.py --dszero TOOL [FILE]                      compare dszero with a recording
                                                            (default: ../data/resolve.jsonl.gz)

A line of a recording: {"text", "facts", "resolved"}, or "error" instead: the Trainer stops. Facts are named as
in TrainingArguments.
"""
import argparse
import gzip
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

RECORDED = pathlib.Path(__file__).parent.parent / "data" / "resolve.jsonl.gz"


# ---- documents and facts

def make_case(rng):
    facts = {"world_size": rng.choice([1, 2, 8, 64]), "hidden_size": rng.choice([64, 768, 1000, 1536, 4096, 5120, 12288, 16383]),
             "num_training_steps": rng.choice([1, 7, 1000, 33333]),
             "per_device_train_batch_size": rng.choice([1, 2, 3, 16]), "gradient_accumulation_steps": rng.choice([1, 2, 5, 16]),
             "max_grad_norm": rng.choice([0.0, 0.3, 1.0, 5.0]), "learning_rate": rng.choice([1e-5, 2e-5, 3e-4, 0.1]),
             "adam_beta1": rng.choice([0.9, 0.8]), "adam_beta2": rng.choice([0.999, 0.95]), "adam_epsilon": rng.choice([1e-8, 1e-6]),
             "weight_decay": rng.choice([0.0, 0.01, 0.1]), "warmup_steps": rng.choice([0, 1, 10, 500, 0.03, 0.1]),
             "fp16": False, "bf16": False}
    if rng.random() < 0.5:
        facts[rng.choice(["fp16", "bf16"])] = True
    batch = facts["per_device_train_batch_size"]
    right = {
        "train_micro_batch_size_per_gpu": batch, "gradient_accumulation_steps": facts["gradient_accumulation_steps"],
        "train_batch_size": batch * facts["gradient_accumulation_steps"] * facts["world_size"],
        "gradient_clipping": facts["max_grad_norm"], "optimizer.params.lr": facts["learning_rate"],
        "optimizer.params.betas": [facts["adam_beta1"], facts["adam_beta2"]], "optimizer.params.eps": facts["adam_epsilon"],
        "optimizer.params.weight_decay": facts["weight_decay"], "scheduler.params.warmup_min_lr": 0,
        "scheduler.params.warmup_max_lr": facts["learning_rate"], "scheduler.params.total_num_steps": facts["num_training_steps"],
        "scheduler.params.warmup_num_steps": 17, "fp16.enabled": facts["fp16"], "bf16.enabled": facts["bf16"],
        "zero_optimization.reduce_bucket_size": 1000, "zero_optimization.stage3_prefetch_bucket_size": 1000,
        "zero_optimization.stage3_param_persistence_threshold": 1000,
        "zero_optimization.allgather_bucket_size": 1000, "zero_optimization.overlap_comm": True}
    document = {"zero_optimization": {"stage": rng.choice([0, 1, 2, 3, 3, 3])}, "steps_per_print": 2000}
    if rng.random() < 0.1:
        del document["zero_optimization"]["stage"]
    for path, value in right.items():
        chance = rng.random()
        if chance < 0.2 and not path.startswith("zero"):
            continue
        if path == "scheduler.params.warmup_num_steps" or chance < 0.85:
            value = "auto"
        elif chance > 0.99:
            value = [value, 3]
        elif chance > 0.985:
            value = None
        *sections, key = path.split(".")
        at = document
        for section in sections:
            at = at.setdefault(section, {})
        at[key] = value
    for section, kind in (("optimizer", "AdamW"), ("scheduler", "WarmupDecayLR")):
        if section in document:
            document[section] = {"type": kind, **document[section]}
    return document, facts


def ask_transformers(document, facts):
    from types import SimpleNamespace
    from transformers import TrainingArguments
    from transformers.integrations.deepspeed import HfTrainerDeepSpeedConfig

    class Arguments(TrainingArguments):
        world_size = property(lambda self: facts["world_size"])

        def __post_init__(self):  # which would look for devices
            pass

    own = {k: v for k, v in facts.items() if k not in ("world_size", "hidden_size", "num_training_steps")}
    arguments = Arguments(output_dir="unused", **own)
    try:
        config = HfTrainerDeepSpeedConfig(document)
        config.trainer_config_process(arguments)
        config.trainer_config_finalize(arguments, SimpleNamespace(config=SimpleNamespace(hidden_size=facts["hidden_size"])), facts["num_training_steps"])
    except ValueError as error:
        return {"error": type(error).__name__}
    return {"resolved": config.config}


def record(options):
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    rng = random.Random(options.seed)
    lines = []
    for _ in range(options.count):
        document, facts = make_case(rng)
        text = json.dumps(document, indent=rng.choice([None, 2, 4]))
        lines.append({"text": text, "facts": facts, **ask_transformers(document, facts)})
    packed = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode("ascii")
    options.record.write_bytes(gzip.compress(packed, 9, mtime=0))
    print("%d lines, of which the Trainer refuses %d" % (len(lines), sum("error" in line for line in lines)))


# ---- comparing

def arguments_of(facts):
    return [f"--{name.replace('_', '-')}={json.dumps(value)}" for name, value in facts.items()]


def compare(options):
    with gzip.open(options.recording, "rt", encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    wrong = resolved = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "ds_config.json")
        for line in recorded:
            path.write_text(line["text"])
            run = subprocess.run([options.dszero, "resolve", "--write", *arguments_of(line["facts"]), str(path)], capture_output=True, text=True)
            after = path.read_text()
            if "error" in line:
                refused += 1
                good = run.returncode == 1 and after == line["text"]
            else:
                resolved += 1
                good = run.returncode == 0 and json.loads(after) == line["resolved"]
                # nothing but "auto" was touched
                good = good and re.fullmatch(re.escape(line["text"]).replace('"auto"', "(?:.+?)"), after, re.S) is not None
            if not good:
                wrong += 1
                print("differs:", line, "\n", after, run.stderr, run.returncode)
    print("%d resolved as transformers does, %d refused as it does, %d wrong" % (resolved, refused, wrong))
    sys.exit(wrong != 0 or not resolved or not refused)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dszero", metavar="TOOL")
    parser.add_argument("recording", type=pathlib.Path, nargs="?", default=RECORDED)
    options = parser.parse_args()
    if options.record:
        record(options)
    elif options.dszero:
        compare(options)
    else:
        parser.error("--record FILE or --dszero TOOL")


if __name__ == "__main__":
    main()
