#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask the real DeepSpeed what it makes of whole documents: DeepSpeedConfig, given the path of a file.

    deepspeed_documents.py --world-size 8                     the installed deepspeed
    deepspeed_documents.py --world-size 8 --package DIR       an unpacked source distribution, DIR/deepspeed

One JSON object a line on standard input, {"id", "text"}, one answer a line on standard output; an empty line
flushes the answers so far.

    {"id", "ok": true, "value": {attribute: value}, "warnings": [tag, …]}
    {"id", "ok": false, "check", "error", "warnings"}

`check` names what DeepSpeed stopped at, in dszero's words (Document::first_check). The accelerator is the cpu.
Needs torch and what the release imports, pydantic 1.10 for releases up to 0.14.5 among it. Only the answers of
deepspeed.comm are replaced: world_size ranks, of which this is number 0.
"""
import argparse
import enum
import json
import linecache
import logging
import math
import os
import re
import sys
import tempfile
import traceback
import types

for asked_for in ("intel_extension_for_pytorch", "oneccl_bindings_for_pytorch", "torch._six"):  # by releases up to 0.13
    sys.modules[asked_for] = types.ModuleType(asked_for)
sys.modules["torch._six"].inf = math.inf
os.environ["DS_ACCELERATOR"] = "cpu"
LEFT_OUT = ("_param_dict", "zero_config", "world_size", "global_rank")

# What an exception's text says was being checked.
MESSAGES = (
    (r"^Train batch size", "train_batch_not_positive"), (r"^Micro batch size", "micro_batch_not_positive"),
    (r"^Gradient accumulation steps:", "accumulation_not_positive"), (r"^Check batch related", "batch_product_mismatch"),
    (r"^Either train_batch_size", "batch_missing"), (r"^bfloat16 and fp16", "fp16_and_bf16"),
    (r"^Fp16_master_weights_and_grads", "fp16_master_needs_zero"), (r"^Bf16_master_weights_and_grads", "bf16_master_needs_zero"),
    (r"^bf16_optimizer_states is only", "bf16_states_needs_zero"), (r"^bf16_optimizer_states requires", "bf16_states_needs_master"),
    (r"^GDS currently", "gds_needs_cuda"), (r"with ZeRO stage 3$", "allreduce_sum_with_stage_3"), (r"with ZenFlow$", "allreduce_sum_with_zenflow"),
    (r"with DeepCompile$", "allreduce_sum_with_deepcompile"), (r"^Cannot provide deprecated", "deprecated_with_replacement"),
    (r"^Invalid communication_data_type", "communication_data_type"), (r"^Invalid gradient_allreduce_op", "gradient_allreduce_op"),
    (r"tag_validation", "checkpoint_tag_validation"), (r"pipeline_stage", "checkpoint_pipeline_stage"), (r"keep_in_fp32_modules", "keep_in_fp32_modules"),
    (r"(results|exps)_dir cannot", "autotuning_dir_empty"), (r"^Invalid module names", "torch_autocast_modules"), (r"is not a valid DtypeEnum", "torch_autocast_dtype"),
    (r"^Curriculum learning is enabled", "curriculum_metrics_missing"), (r"^Dynamic batching is enabled", "dynamic_batching_tokens_missing"),
    (r"load_balance_coeff", "expert_parallel_load_balance_coeff"), (r"^writer contains invalid", "checkpoint_writer_value"),
)
# Which section a model, a function or a class of DeepSpeed's reads; and which one an attribute comes from.
SECTIONS = {
    "DeepSpeedZeroConfig": "zero_optimization", "DeepSpeedFP16Config": "fp16", "DeepSpeedBF16Config": "bf16", "CommsLoggerConfig": "comms_logger",
    "DeepSpeedMonitorConfig": "monitor", "HybridEngineConfig": "hybrid_engine", "WeightQuantConfig": "weight_quantization", "CompileConfig": "compile",
    "DeepSpeedThroughputTimerConfig": "timers.throughput", "TPTrainingConfig": "tensor_parallel", "get_zero_config": "zero_optimization",
    "read_zero_config_deprecated": "zero_optimization", "get_communication_data_type": "communication_data_type",
    "get_gradient_allreduce_op": "gradient_allreduce_op", "get_float16_config": "fp16", "get_bfloat16_config": "bf16", "get_monitor_config": "monitor",
    "get_optimizer_name": "optimizer", "get_optimizer_params": "optimizer", "get_optimizer_legacy_fusion": "optimizer", "get_scheduler_name": "scheduler",
    "get_scheduler_params": "scheduler", "get_aio_config": "aio", "get_checkpoint_tag_validation_mode": "checkpoint",
    "get_checkpoint_parallel_write_pipeline": "checkpoint", "get_checkpoint_config": "checkpoint", "get_checkpoint_writer_config": "checkpoint",
    "get_pipeline_config": "pipeline", "get_hybrid_engine_config": "hybrid_engine", "get_timers_config": "timers", "get_tensor_parallel_config": "tensor_parallel",
    "get_expert_parallel_config": "expert_parallel", "parse_autoep_config": "expert_parallel", "get_torch_autocast_enabled": "torch_autocast",
    "get_torch_autocast_dtype": "torch_autocast", "get_lower_precision_safe_modules": "torch_autocast", "get_data_efficiency_enabled": "data_efficiency",
    "get_data_efficiency_config": "data_efficiency", "DeepSpeedActivationCheckpointingConfig": "activation_checkpointing",
    "DeepSpeedCommsConfig": "comms_logger", "DeepSpeedFlopsProfilerConfig": "flops_profiler", "DeepSpeedAutotuningConfig": "autotuning",
    "DeepSpeedDataStatesConfig": "datastates_ckpt",
}
ATTRIBUTES = {"grad_accum_dtype": "data_types", "optimizer_name": "optimizer", "compile_config": "compile",
              "weight_quantization_config": "weight_quantization", "load_universal_checkpoint": "checkpoint"}
WARNINGS = ((r"^Config parameter (\w+) is deprecated", "deprecated_field:{}"),
            (r"this format of ZeRO optimization setup is deprecated", "deprecated_boolean_format"),
            (r"^ZeRO-3 elastic checkpointing", "elastic_checkpoint_with_stage_3"),
            (r"^DeepSpeedConfig: vocabulary size", "vocabulary_size_not_aligned"),
            (r"is not supported as an optimizer parameter", "max_grad_norm_in_optimizer"))


class Listener(logging.Handler):
    """Keeps a tag for each warning it knows."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.tags = []

    def emit(self, record):
        hits = ((re.search(pattern, record.getMessage()), tag) for pattern, tag in WARNINGS)
        self.tags.extend(tag.format(*hit.groups()) for hit, tag in hits if hit)


class Ranks:
    """Stands in for deepspeed.comm."""

    def __init__(self, size):
        self.size = size

    def get_rank(self, *_, **__):
        return 0

    def get_world_size(self, *_, **__):
        return self.size


class DeepSpeed:

    def __init__(self, world_size):
        logging.disable(logging.CRITICAL)
        import numpy
        from torch.distributed.elastic.agent.server import api
        for module, gone in ((api, "log"), (api, "_get_socket_with_port"), (numpy, "BUFSIZE")):  # what releases up to 0.13 import
            vars(module).setdefault(gone, None)
        import deepspeed
        from deepspeed.runtime import config, config_utils
        from deepspeed.utils import logger
        logging.disable(logging.NOTSET)
        import pydantic
        import torch
        pydantic = getattr(deepspeed, "pydantic_v1", pydantic)  # 0.11.2 to 0.14.5
        self.config, self.Model, self.ValidationError, self.dtype = config, config_utils.DeepSpeedConfigModel, pydantic.ValidationError, torch.dtype
        config.dist = Ranks(world_size)
        self.listener = Listener()
        logger.handlers[:] = [self.listener]
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        self.path = os.path.join(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None), "ds_config.json")

    def close(self):
        if os.path.exists(self.path):
            os.remove(self.path)
        os.rmdir(os.path.dirname(self.path))

    def answer(self, line):
        with open(self.path, "wb") as file:
            file.write(line["text"].encode("utf-8"))
        self.listener.tags = []
        try:
            config = self.config.DeepSpeedConfig(self.path)
            out = {"ok": True, "value": {k: self.plain(v) for k, v in vars(config).items() if k not in LEFT_OUT}}
        except Exception as error:
            out = {"ok": False, "check": self.check(error), "error": type(error).__name__}
        return dict(out, warnings=self.listener.tags)

    def plain(self, value):
        """JSON for a value, with floats that JSON lacks as {"float": "nan"}; integers have 64 bits."""
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, enum.Enum):
            return self.plain(value.value)
        if isinstance(value, int):
            return max(-2**63, min(2**63 - 1, int(value)))  # DeepSpeed's pp_int is one too
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, (self.dtype, os.PathLike)):
            return str(value)
        if isinstance(value, dict):
            return {str(k): self.plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(v) for v in value]
        return {k: self.plain(v) for k, v in getattr(value, "__dict__", {}).items() if not callable(v)}

    def check(self, error):
        """What was being checked when DeepSpeed raised this."""
        frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)
                  if "/deepspeed/" in frame.f_code.co_filename.replace(os.sep, "/")]
        names = [frame.f_code.co_name for frame, _ in frames]
        if isinstance(error, self.ValidationError):
            title = getattr(error, "title", None) or error.model.__name__  # pydantic 2, pydantic 1
            readers = [SECTIONS[name] for name in reversed(names) if name in SECTIONS]
            return "section:" + (readers + [SECTIONS.get(title, title)])[0]
        if "_reject_removed_config_keys" in names:
            return "removed_key" if type(error).__name__ == "DeepSpeedConfigError" else "root_not_object"
        if not {"_initialize_params", "_configure_train_batch_size", "_do_sanity_check"} & set(names):
            return "read"
        for pattern, check in MESSAGES:
            if re.search(pattern, str(error)):
                return check
        for name, check in (("_configure_train_batch_size", "batch_arithmetic"), ("_do_warning_check", "warning_check")):
            if name in names:
                return check
        for frame, _ in reversed(frames):
            section = SECTIONS.get(type(frame.f_locals.get("self")).__name__) or SECTIONS.get(frame.f_code.co_name)
            if section:
                return "shape:" + section
        return "shape:" + next((ATTRIBUTES.get(name, name) for frame, line in frames for name in [self.attribute_at(frame, line)] if name), names[-1])

    @staticmethod
    def attribute_at(frame, line):
        """The attribute that a statement of _initialize_params sets."""
        for at in range(line, line - 6, -1) if frame.f_code.co_name == "_initialize_params" else ():
            hit = re.match(r"\s*self\.(\w+)\s*=", linecache.getline(frame.f_code.co_filename, at))
            if hit:
                return hit.group(1)
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world-size", type=int, default=1)
    parser.add_argument("--package", metavar="DIR", help="holds the release's package in place of the installed one")
    options = parser.parse_args()
    if options.package:
        sys.path.insert(0, options.package)
    answers, sys.stdout = sys.stdout, sys.stderr  # some releases print
    deepspeed = DeepSpeed(options.world_size)
    for raw in sys.stdin:
        if not raw.strip():
            answers.flush()
            continue
        line = json.loads(raw)
        answers.write(json.dumps({"id": line["id"], **deepspeed.answer(line)}, separators=(",", ":")) + "\n")
    deepspeed.close()


if __name__ == "__main__":
    main()
