# SPDX-License-Identifier: MIT
"""Whole documents to ask about: every key that DeepSpeed reads, with fitting, odd and wrong values.

Document number i depends on (seed, i, releases, corpus) alone.
"""
from texts import Texts

# A section's keys with what fits there: b boolean, i integer, f fraction, s string, l list of strings, o object,
# z the zero section, a section of this table, or the values themselves, JSON between bars; ? is null as well.
SECTIONS = {
    "": """
        steps_per_print i?; dump_state b; disable_python_gc b; disable_allgather b; managed_gradient_accumulation b
        communication_data_type "fp16"|"bf16"|"fp32"|"FP16"|null; prescale_gradients b; gradient_predivide_factor f
        seq_parallel_communication_data_type "fp16"|"Bf16"|null; gradient_allreduce_op "mean"|"SUM"|"sum"|"avg"
        zero_optimization z; zero_optimization z; zero_optimization z; activation_checkpointing activation_checkpointing
        comms_logger comms_logger; tensorboard tensorboard; wandb wandb; csv_monitor csv_monitor; comet comet
        gradient_clipping f; fp16 fp16; fp16 fp16; bf16 bf16?; bf16 bf16?; bfloat16 bf16; torch_autocast torch_autocast
        optimizer optimizer; optimizer optimizer; scheduler scheduler; zero_allow_untested_optimizer b
        zero_force_ds_cpu_optimizer b; flops_profiler flops_profiler; wall_clock_breakdown b; memory_breakdown b
        autotuning autotuning; use_data_before_expert_parallelism b; hybrid_engine hybrid_engine; pipeline pipeline
        data_efficiency data_efficiency; checkpoint checkpoint; data_types data_types; aio aio?; dataloader_drop_last b
        log_level "debug"|"info"|"x"|null; datastates_ckpt o; weight_quantization weight_quantization; compile compile
        timers timers; tensor_parallel tensor_parallel; expert_parallel expert_parallel; vocabulary_size i?
        sequence_parallel_size 2|1|0; allgather_size i; sparse_gradients b
        amp enabled; elasticity elasticity; elasticity elasticity; nebula enabled; progressive_layer_drop enabled; curriculum_learning enabled
        compression_training compression; compression_training compression; quantize_training o; eigenvalue enabled; sparse_attention sparse_attention
        graph_harvesting b""",
    "fp16": """enabled b; enabled b; enabled b; auto_cast b; loss_scale f; initial_scale_power i
        loss_scale_window i; hysteresis i; consecutive_hysteresis b; min_loss_scale i; fp16_master_weights_and_grads b""",
    "bf16": """enabled b; enabled b; immediate_grad_update b; check_grad_overflow b; bf16_master_weights_and_grads b
        bf16_optimizer_states b""",
    "activation_checkpointing": """partition_activations b; contiguous_memory_optimization b; cpu_checkpointing b
        number_checkpoints i?; profile b; synchronize_checkpoint_boundary b""",
    "aio": "block_size i; queue_depth i; thread_count i; intra_op_parallelism i; single_submit b; overlap_events b; use_gds false|0|true",
    "comms_logger": "enabled b; prof_all b; prof_ops l; verbose b; debug b",
    "tensorboard": "enabled b; output_path s; job_name s",
    "csv_monitor": "enabled b; output_path s; job_name s",
    "wandb": "enabled b; group s?; team s?; project s",
    "comet": """enabled b; samples_log_interval i; project s?; workspace s?; api_key s?; experiment_name s?; experiment_key s?
        online b?; mode "get"|"create"|"x"|null """,
    "torch_autocast": """enabled b; dtype "fp16"|"float16"|"half"|"torch.bfloat16"|"bf16"|"float"|"int8"|"Bf16"
        lower_precision_safe_modules l""",
    "optimizer": '''type "Adam"|"AdamW"|"adamw"|"LAMB"|"OneBitAdam"|"Muon"|"MuSGD"|"SGD"|"Lion"|"auto"; params optimizer.params
        params optimizer.params; legacy_fusion b''',
    "optimizer.params": """lr f; betas [0.9, 0.999]; eps f; weight_decay f; torch_adam b; adam_w_mode b; bias_correction b
        max_grad_norm f; momentum f""",
    "scheduler": '''type "WarmupLR"|"WarmupDecayLR"|"WarmupCosineLR"|"OneCycle"|"LRRangeTest"|"cosine"; params scheduler.params
        params scheduler.params''',
    "scheduler.params": "warmup_min_lr f; warmup_max_lr f; warmup_num_steps i; warmup_type s; total_num_steps i; cycle_min_lr f",
    "flops_profiler": "enabled b; enabled b; recompute_fwd_factor f; profile_step i; module_depth i; top_modules i; detailed b; output_file s?",
    "autotuning": '''enabled b; fast b; results_dir s; exps_dir s; overwrite b; start_profile_step i; end_profile_step i
        metric "latency"|"throughput"|"flops"|"x"; metric_path s?; tuner_type s; tuner_early_stopping i; tuner_num_trials i
        arg_mappings o; model_info model_info?; model_info_path s?; mp_size i; max_train_batch_size i?; min_train_batch_size i
        max_train_micro_batch_size_per_gpu i; min_train_micro_batch_size_per_gpu i; num_tuning_micro_batch_sizes i''',
    "model_info": "profile b; num_params i?; hidden_size i?; num_layers i?",
    "hybrid_engine": """enabled b; max_out_tokens i; inference_tp_size i; release_inference_cache b; pin_parameters b
        tp_gather_partition_size i; enable_cuda_graph b""",
    "pipeline": "stages i; partition s; seed_layers b; activation_checkpoint_interval i; pipe_partitioned b; grad_partitioned b",
    "data_efficiency": "enabled b; seed i; data_sampling data_sampling; data_sampling data_sampling; data_routing data_routing",
    "data_sampling": """enabled b; num_epochs i; num_workers i; pin_memory b; curriculum_learning curriculum
        dynamic_batching dynamic_batching""",
    "curriculum": "enabled b; data_cluster_path s?; curriculum_metrics o",
    "dynamic_batching": """enabled b; lr_scaling_method "linear"|"sqrt"; min_batch_size i; max_batch_size i; max_tokens i
        sequence_picking_order s; verbose b; metrics_path s""",
    "data_routing": "enabled b; random_ltd random_ltd; random_ltd random_ltd",
    "random_ltd": """enabled b; total_layer_num i?; random_ltd_layer_num i?; random_ltd_layer_id o; model_mask_name s?; model_type s?
        hidden_state_order s?; random_ltd_schedule random_ltd_schedule; layer_token_lr_schedule o""",
    "random_ltd_schedule": "min_value i?; max_value i?; schedule_type s?; schedule_config random_ltd_steps",
    "random_ltd_steps": "require_steps i?; seq_per_step i?",
    "checkpoint": '''tag_validation "Warn"|"IGNORE"|"fail"|"x"; load_universal b; use_node_local_storage b
        parallel_write parallel_write; checkpoint_serialization b; writer writer?''',
    "parallel_write": "pipeline_stage b",
    "writer": '''type "fast"|"PYTHON"|"fast"|"x"|null; io_buffer_size i; io_buffer_double b; show_statistics b
        data_parallel "replica"|"Socket"|"machine"|"x"|null; decoupled b; io_multiplier i''',
    "data_types": '''grad_accum_dtype "fp32"|"bf16"|"x"|null; param_dtype "bf16"|"x"|null; buffer_dtype "fp32"|null
        keep_in_fp32_modules "auto"|["a"]|[]|[1]''',
    "weight_quantization": """enabled b; num_bits i; q_type "symmetric"|"asymmetric"|"x"; q_groups i; quantized_initialization quantized
        post_init_quant o; group_size i; group_dim i; symmetric b""",
    "quantized": "num_bits i; group_size i; group_dim i; symmetric b",
    "compile": """deepcompile b; autoep_non_moe b; free_activation b; free_activation_threshold i; offload_activation b
        offload_activation_pin_memory b; offload_opt_states b; double_buffer b; symmetric_memory b; debug_log b
        offload_parameters b; sync_before_reduce b; sync_after_reduce b; sync_before_allgather b; sync_after_allgather b
        keep_int_input_tensors b; keep_all_input_tensors b; passes null|["a"]|[]; enable_cuda_graph b; enabled b; backend s; kwargs o""",
    "timers": "throughput throughput",
    "throughput": "enabled b; synchronized b",
    "tensor_parallel": '''dtype "fp16"|"torch.float16"|"float16"; autotp_size i; tp_overlap_comm b; vocab_parallel_lm_head b?
        vocab_parallel_ce_backend "torch"|"liger"|"x"; tp tp; tensor_parallel tp; injection_policy_tuple l?; partition_config o
        preset_model s?; keep_module_on_host b; kernel_inject b; replace_with_kernel_inject b''',
    "tp": "tp_size i; tp_grain_size i; mpu o; tp_group o",
    "expert_parallel": """enabled b; autoep_size i; expert_tensor_parallel_size i; validate_folding_routing b; async_split_plan b
        preset_model s?; moe_layer_pattern s?; expert_pattern s?; router_pattern s?; use_grouped_mm b; disable_triton_grouped_mm b
        route_norm b?; route_scale f; score_apply s; combine_impl s; row_weighting_impl s; gate_up_impl s; comm_backend s; comm_num_sm i
        comm_qp_margin i; comm_max_tokens_per_rank i; num_expert_groups i?; num_limited_groups i?; score_func s; top_k o
        load_balance_coeff null|null|0.1; routed_scaling_factor o; expert_w1 s?; expert_w2 s?; expert_w3 s?; num_experts_attr s?
        top_k_attr s?; has_shared_experts b?; shared_experts_pattern s?; shared_experts_gate_pattern s?; expert_activation s?""",
    "sparse_attention": """mode "dense"|"fixed"|"variable"|"bigbird"|"bslongformer"|"local_sliding_window"|"x"; block i
        different_layout_per_head b; num_local_blocks i; num_global_blocks i; attention "bidirectional"|"unidirectional"
        horizontal_global_attention b; num_random_blocks i; local_window_blocks [4]""",
    "enabled": "enabled b; opt_level s; max_layers i",
    "elasticity": """enabled true; max_train_batch_size 100|2000|64|7|10000|33.5; micro_batch_sizes [2, 4, 6]|[1]|[2]|[3, 5]|[7, 8]|[16, 2, 16]|[]|[2.0]
        min_gpus 1|2|4|8; max_gpus 8|64|100|1500; num_gpus_per_node 1|2|4|8|3; model_parallel_size 1|1|2|4; min_time i; version 0.1|0.2|0.3
        prefer_larger_batch b; ignore_non_elastic_batch_info true""",
    "compression": """weight_quantization weight_quantized; activation_quantization activation_quantized; sparse_pruning sparse_pruned
        row_pruning pruned; head_pruning pruned; channel_pruning pruned; layer_reduction enabled""",
    "weight_quantized": "shared_parameters quantized_all; different_groups quantized_groups; different_groups quantized_groups",
    "quantized_all": """enabled b; quantize_weight_in_forward b; quantization_type "symmetric"|"asymmetric"|"x"
        rounding "nearest"|"stochastic"|"x"; fp16_mixed_quantize enabled; schedule_offset i""",
    "quantized_groups": "a quantized_group; b quantized_group",
    "quantized_group": "params quantized_params; params quantized_params; modules l; related_modules l",
    "quantized_params": "start_bits i; start_bits i; target_bits i; target_bits i; quantization_period i",
    "activation_quantized": "shared_parameters activation_all; different_groups activation_groups; different_groups activation_groups",
    "activation_all": 'enabled b; quantization_type "symmetric"|"asymmetric"|"x"; range_calibration "dynamic"|"static"|"x"',
    "activation_groups": "a activation_group",
    "activation_group": "params activation_params; params activation_params; modules l",
    "activation_params": "bits i; bits i; bits i",
    "sparse_pruned": "shared_parameters sparse_all; different_groups pruned_groups; different_groups pruned_groups",
    "sparse_all": """enabled b; method "l1"|"topk"|"snip_momentum"|"snip_momentum"|"x"; dense_ratio f; schedule_offset i; schedule_offset_end i
        block_pattern s; excluded_modules l""",
    "pruned": "shared_parameters pruned_all; different_groups pruned_groups; different_groups pruned_groups",
    "pruned_all": 'enabled b; method "l1"|"topk"|"x"; num_heads i; schedule_offset i',
    "pruned_groups": "a pruned_group; b pruned_group",
    "pruned_group": "params pruned_params; params pruned_params; modules l",
    "pruned_params": "dense_ratio f; dense_ratio f",
}
FITTING = {
    "b": ["true", "false"],
    "i": ["1", "2", "4", "8", "16", "1000", "500000000", "1e3", "3.0", "0"],
    "f": ["0.1", "1.0", "0", "1e-4", "2", "0.999"],
    "s": ['"x"', '"a/b"', '""', '"auto"'],
    "l": ["[]", '["all_reduce"]', '["a", "b"]', '"ab"', '["torch.nn.Linear", "é"]'],
    "o": ["{}", '{"a": 1}', '{"a": {"b": [1, null, 2.5]}}', "null", '{"enabled": true}'],
}
# What Python takes for a number, or does not, and what it makes of odd ones.
ODD = """null true false 0 1 -1 7 2.5 -0.0 0.0 1e3 1e10 3.0 9223372036854775807 9223372036854775808 -9223372036854775809
    18446744073709551617 1e19 1e300 1e-400 "" "x" "auto" "7" "-3" "2.5" "3.0" "1_0" "true" "True" "on" "no" "nan" "inf"
    " 4 " "null" "None" "٣" "1e3" [] {} [1] ["a"] [null] [true] [[]] {"a":1} {"enabled":true} {"enabled":"auto"} {"enabled":null}
    {"type":"Adam"} {"stage":1} [["enabled",true]] 123456789012345678901234567890""".split() + ['" "', '"a\\u0000"', '"\\ud800"', '"İ"']
BATCH = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
BATCH_VALUES = ODD + ["8", "16", "64", "2", "4", "1", "0.5", "2.0", "0.125", "8.5", "-8", "1e2", "4611686018427387904", "340282366920938463463374607431768211456",
                      "1.5e300", "1e308", "9007199254740993", "9007199254740992.0", "0.1", "0.2", "0.3", "1e16"]


def rows(text):
    """[[key, kind]]"""
    return [row.strip().split(None, 1) for row in text.replace("\n", ";").split(";") if row.strip()]


GONE = ("amp", "elasticity", "nebula", "progressive_layer_drop", "curriculum_learning", "compression_training", "quantize_training",
        "eigenvalue", "sparse_attention", "graph_harvesting", "sparse_gradients")

OLDER = {"": GONE, "aio": ("thread_count",), "compile": ("enabled", "backend", "kwargs", "enable_cuda_graph")}  # not read by the newest release
OPEN = ("optimizer.params", "scheduler.params", "pipeline")  # DeepSpeed keeps every key

class Documents(Texts):
    sections = {name: rows(text) for name, text in SECTIONS.items()}

    def one(self):
        """A document as parts, most of which fit."""
        roll = self.rng.random()
        if roll < 0.01:  # Python's `in` finds a key in lists and texts too
            key = '"%s"' % self.rng.choice(GONE + ("zero_optimization", "train_batch_size"))
            return "root", self.rng.choice([self.rng.choice(ODD), key, "[%s]" % key, "[1, %s]" % key, '"x %s"' % key[1:-1], "[[%s]]" % key])
        if roll < 0.1:
            return "batch", self.styled(self.batch(wild=1))
        if roll < 0.4:
            return "one", self.styled(self.batch() + [self.odd_member()])
        if roll < 0.85 or not self.files:
            return "document", self.styled(self.whole())
        return "file", self.changed(self.rng.choice(self.files))

    def text(self, i):
        self.begin("document/%d/%d" % (self.seed, i))
        kind, text = self.one()
        if self.chance(0.04):
            kind, text = "damaged", self.mutate(text)
        return "%s/%d/%d" % (kind, self.seed, i), text

    def distinct(self, members):
        """Mostly: a repeated key decides before anything else does."""
        return list(dict(members).items()) if self.chance(0.995) else members

    def styled(self, members):
        return self.write(self.distinct(members), self.rng.choice(["line", "line", "line", "indent", "loose"]))

    # ---- parts

    def batch(self, wild=0.02):
        rng = self.rng
        if self.chance(1 - wild):
            micro, steps, ranks = rng.choice([1, 2, 4, 8]), rng.choice([1, 1, 2, 4]), rng.choice([1, 8])
            values = [str(micro * steps * ranks), str(micro), str(steps)]
            members = [m for m in zip(BATCH, values) if self.chance(0.6)]
            return members if members[:1] and members[0][0] != BATCH[2] else [(BATCH[1], values[1])] + members
        few = rng.sample(BATCH_VALUES, 4)
        return [(key, rng.choice(few)) for key in BATCH if self.chance(0.75)]

    def fitting(self, kind, wild):
        if self.chance(wild):
            return self.rng.choice(ODD) if self.chance(0.8) else self.wild()
        if kind.endswith("?"):
            kind = kind[:-1] if self.chance(0.9) else "null"
        if kind == "z":
            return self.section("", wild)
        if kind in self.sections:
            return self.part(kind, wild)
        return self.rng.choice(FITTING.get(kind) or kind.split("|"))

    def part(self, name, wild):
        rng = self.rng
        share = rng.choice([0.15, 0.4, 0.7])
        members = [(key, self.fitting(kind, wild)) for key, kind in self.sections[name] if self.chance(share)]
        if self.chance(0.06):
            key = rng.choice(rng.choice(list(self.sections.values())))[0]
            members.append((rng.choice([key, key, key.upper(), key + "s", "strict", "local_rank", "fp32_allreduce", "zz", "self", "type", ""]), self.fitting("b", 0.5)))
        return self.distinct(members)

    def odd_member(self):
        """One key with an odd value, at some depth."""
        def inside(name):
            key, kind = self.rng.choice(self.sections[name])
            if key in GONE:  # less often
                key, kind = self.rng.choice(self.sections[name])
            kind = kind.rstrip("?")
            if kind in self.sections and self.chance(0.75):
                others = [m for m in self.part(kind, 0) if m[0] == "enabled" or self.chance(0.2)]
                return key, self.distinct(others + [inside(kind)])
            if kind == "z" and self.chance(0.75):
                return key, self.section("", 0.1)
            return key, self.fitting(kind, 0.9)
        return inside("")

    def whole(self):
        rng = self.rng
        share, wild = rng.choice([0.03, 0.08, 0.15]), rng.choice([0, 0, 0, 0.01, 0.03, 0.1])
        members = self.batch(rng.choice([0, 0, 0.3])) if self.chance(0.98) else []
        members += [(key, self.fitting(kind, wild)) for key, kind in self.sections[""]
                    if self.chance(share if key not in GONE else share / 20)]
        if self.chance(0.3):
            rng.shuffle(members)
        return members

    def changed(self, text):
        """A real file with a member more in front, or a value exchanged."""
        brace = text.find("{")
        if brace < 0 or self.chance(0.3):
            return self.mutate(text)
        members = [self.odd_member()] if self.chance(0.5) else self.whole()[:2]
        added = self.write(members, "line")[1:-1]
        return text[:brace + 1] + added + ("," if added else "") + text[brace + 1:]
