/* SPDX-License-Identifier: MIT
 *
 * OpenMPI's side of tests/benchmark/run_engine: mpirun -np 2 mpi_peer REPETITIONS prints the
 * median seconds of each collective at 4 and 64 MiB, interleaved; inputs are written afresh. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most = 101 };

static int by_size(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

static double begin_with(float* input, size_t elements) {
    for (size_t i = 0; i < elements; ++i) input[i] = 1;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Wtime();
}

static void print(const char* name, int mib, double* seconds, int repetitions) {
    qsort(seconds, (size_t)repetitions, sizeof *seconds, by_size);
    printf("%s %d %g\n", name, mib, seconds[repetitions / 2]);
}

int main(int argc, char** argv) {
    MPI_Init(&argc, &argv);
    int rank, ranks, repetitions = argc > 1 ? atoi(argv[1]) : 11;
    if (repetitions > most) repetitions = most;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    const int mibs[] = {4, 64};
    for (int s = 0; s < 2; ++s) {
        const size_t elements = (size_t)mibs[s] << 18;
        float* one = calloc(elements, sizeof *one);
        float* copy = calloc(elements, sizeof *copy);
        float* all = calloc(elements * (size_t)ranks, sizeof *all);
        double reduced[most], gathered[most], scattered[most];
        for (int k = -1; k < repetitions; ++k) {
            const int at = k < 0 ? 0 : k;
            double begin = begin_with(one, elements);
            MPI_Allreduce(MPI_IN_PLACE, one, (int)elements, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            reduced[at] = MPI_Wtime() - begin;
            begin = begin_with(one, elements);
            MPI_Allgather(one, (int)elements, MPI_FLOAT, all, (int)elements, MPI_FLOAT, MPI_COMM_WORLD);
            gathered[at] = MPI_Wtime() - begin;
            begin = begin_with(all, elements * (size_t)ranks);
            MPI_Reduce_scatter_block(all, copy, (int)elements, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
            scattered[at] = MPI_Wtime() - begin;
        }
        if (rank == 0) {
            print("all_reduce", mibs[s], reduced, repetitions);
            print("all_gather", mibs[s], gathered, repetitions);
            print("reduce_scatter", mibs[s], scattered, repetitions);
        }
        free(one);
        free(copy);
        free(all);
    }
    MPI_Finalize();
}
