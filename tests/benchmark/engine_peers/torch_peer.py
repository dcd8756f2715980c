# SPDX-License-Identifier: MIT
"""torch's and DeepSpeed's side of tests/benchmark/run_engine.

torch_peer.py adam cpuadam|fused ELEMENTS THREADS   on each line (fp32 | copies), one step; prints its seconds
torch_peer.py gloo REPETITIONS                      one of two ranks (RANK, WORLD_SIZE, MASTER_* are set)
torch_peer.py mlp STAGE                             likewise; on each line ten steps, or ("memory") the peak
"""
import os
import resource
import statistics
import sys
import time


def private_output():
    """DeepSpeed, and the compilers that it starts, print where they like: from now on to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def adam(which, elements, threads):
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    answers = private_output()
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


def mlp(stage):
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    answers = private_output()
    import deepspeed
    import torch

    torch.set_num_threads(1)
    deepspeed.init_distributed(dist_backend="gloo", auto_mpi_discovery=False, verbose=False)
    model = torch.nn.Sequential(*[torch.nn.Linear(1024, 1024) for _ in range(4)])
    engine, *_ = deepspeed.initialize(model=model, model_parameters=model.parameters(), config={
        "train_micro_batch_size_per_gpu": 8, "steps_per_print": 10**9, "gradient_clipping": 1.0,
        "optimizer": {"type": "Adam", "params": {"lr": 1e-3, "torch_adam": True}},
        "zero_optimization": {"stage": stage, "stage3_param_persistence_threshold": 0}})
    batch = torch.randn(8, 1024)

    def step():
        engine.backward(engine(batch).pow(2).mean())
        engine.step()

    for _ in range(3):
        step()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        torch.distributed.barrier()
        begin = time.perf_counter()
        for _ in range(10 if line.strip() == "steps" else 0):
            step()
        torch.distributed.barrier()
        took = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(took if line.strip() == "steps" else peak, file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1] == "adam":
        adam(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1] == "mlp":
        mlp(int(sys.argv[2]))
    else:
        gloo(int(sys.argv[2]))
