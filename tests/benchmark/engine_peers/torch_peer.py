# SPDX-License-Identifier: MIT
"""torch's and DeepSpeed's side of tests/benchmark/run_engine.

torch_peer.py adam cpuadam|fused ELEMENTS THREADS   on each line (fp32 | copies), one step; prints its seconds
torch_peer.py gloo REPETITIONS                      one of two ranks (RANK, WORLD_SIZE, MASTER_* are set)
"""
import os
import statistics
import sys
import time


def adam(which, elements, threads):
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    answers, sys.stdout = sys.stdout, sys.stderr  # DeepSpeed prints where it likes
    import torch

    torch.set_num_threads(threads)
    parameter = torch.nn.Parameter(torch.rand(elements))
    parameter.grad = torch.rand(elements) - 0.5
    if which == "cpuadam":
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        optimizer = DeepSpeedCPUAdam([parameter], lr=1e-3, weight_decay=0.01)
        gradient16, weights16 = parameter.grad.bfloat16(), torch.empty(elements, dtype=torch.bfloat16)
    else:
        optimizer = torch.optim.AdamW([parameter], lr=1e-3, weight_decay=0.01, fused=True)
    optimizer.step()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        if line.strip() == "copies":
            parameter.grad.copy_(gradient16)
            optimizer.step()
            weights16.copy_(parameter.data)
        else:
            optimizer.step()
        print(time.perf_counter() - begin, file=answers, flush=True)


def gloo(repetitions):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    for mib in 4, 64:
        elements = mib * 262144
        one, copy, both = torch.zeros(elements), torch.zeros(elements), torch.zeros(2 * elements)
        kinds = {
            "all_reduce": (one, lambda: dist.all_reduce(one)),
            "all_gather": (one, lambda: dist.all_gather_into_tensor(both, one)),
            "reduce_scatter": (both, lambda: dist.reduce_scatter_tensor(copy, both)),
        }
        times = {kind: [] for kind in kinds}
        for _ in range(repetitions + 1):
            for kind, (written, call) in kinds.items():
                written.fill_(1)
                dist.barrier()
                dist.barrier()
                begin = time.perf_counter()
                call()
                times[kind].append(time.perf_counter() - begin)
        if dist.get_rank() == 0:
            for kind, values in times.items():
                print(kind, mib, statistics.median(values[1:]), flush=True)
    dist.barrier()


if __name__ == "__main__":
    if sys.argv[1] == "adam":
        adam(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        gloo(int(sys.argv[2]))
