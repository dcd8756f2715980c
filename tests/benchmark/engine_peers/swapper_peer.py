# SPDX-License-Identifier: MIT
"""DeepSpeed's side of tests/benchmark/run_nvme: its pipelined swapper.

swapper_peer.py FOLDER LAYERS THREADS   stage 3, bf16, LAYERS matrices of 2048 x 2048, CPU Adam, states on NVMe.
On each line: forward and backward, then one step; prints the seconds of the step alone.
"""
import logging
import os
import sys
import time

folder, layers, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = str(threads)
os.environ.setdefault("DS_ACCELERATOR", "cpu")
os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1")
os.environ.setdefault("MASTER_PORT", "29533")
answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
os.dup2(2, 1)  # its extensions print, too

import torch
import deepspeed
from deepspeed.utils import logger

logger.setLevel(logging.ERROR)
torch.set_num_threads(threads)
deepspeed.init_distributed(dist_backend="gloo", auto_mpi_discovery=False, verbose=False)
dim = 2048
config = {
    "train_micro_batch_size_per_gpu": 8,
    "steps_per_print": 10**9,
    "bf16": {"enabled": True},
    "optimizer": {"type": "Adam", "params": {"lr": 1e-3}},
    "aio": {"block_size": 1048576, "queue_depth": 32, "single_submit": False, "overlap_events": True,
            "intra_op_parallelism": 1},
    "zero_optimization": {
        "stage": 3,
        "stage3_param_persistence_threshold": 0,
        "sub_group_size": 2 * dim * dim,
        "offload_optimizer": {"device": "nvme", "nvme_path": folder, "buffer_count": 12, "pipeline_read": True,
                              "pipeline_write": True, "pin_memory": True},
    },
}
model = torch.nn.Sequential(*[torch.nn.Linear(dim, dim, bias=False) for _ in range(layers)])
engine, *_ = deepspeed.initialize(model=model, model_parameters=model.parameters(), config=config)
x = torch.randn(8, dim, dtype=torch.bfloat16)


def step():
    engine.backward(engine(x).float().pow(2).mean())
    begin = time.perf_counter()
    engine.step()
    return time.perf_counter() - begin


step(), step()
print("ready", file=answers, flush=True)
for line in sys.stdin:
    print(step(), file=answers, flush=True)
os._exit(0)
