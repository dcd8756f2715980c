# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Sourced by tests/run, examples/run and .ci/run: from a machine with nothing but
# git and a C++ compiler (or not even that) to a build.
#
#     install cmake c++ nlohmann/json.hpp     the commands and headers that are missing, by apt-get
#     build DIRECTORY TARGET [OPTION...]      configures and builds
#     build_and_test DIRECTORY [OPTION...]    and runs the suite

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

declare -A debian_package=(
    [cmake]=cmake
    [ninja]=ninja-build
    [c++]=g++
    [clang++]=clang
    [nlohmann/json.hpp]=nlohmann-json3-dev
    [CLI/CLI.hpp]=libcli11-dev
    [catch2]=catch2
    [zlib.h]=zlib1g-dev
    [liburing.h]=liburing-dev
    [eigen3/Eigen/Core]=libeigen3-dev
    [benchmark/benchmark.h]=libbenchmark-dev
    [python3-jsonschema]=python3-jsonschema
    [python3-pip]=python3-pip
)

say() { printf '== %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has_command() { command -v "$1" >/dev/null; }

has_header() {
    printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" | "${CXX:-c++}" -E -x c++ - >/dev/null 2>&1
}

has() {
    case $1 in
        cmake) has_command cmake && [[ $(printf '3.25\n%s\n' "$(cmake --version | sed -n '1s/[^0-9]*//p')" | sort -V | head -n 1) == 3.25 ]] ;;
        ninja) has_command ninja || has_command make ;;
        c++) has_command "${CXX:-c++}" ;;
        catch2) has_header catch2/catch.hpp || has_header catch2/catch_all.hpp ;;
        python3-*) python3 -c "import ${1#python3-}" 2>/dev/null ;;
        *.h | *.hpp | eigen3/Eigen/Core) has_header "$1" ;;
        *) has_command "$1" ;;
    esac
}

# Sets the array `missing` to those of its arguments that are not there.
find_missing() {
    missing=()
    local thing
    for thing in "$@"; do
        has "$thing" || missing+=("$thing")
    done
}

install() {
    local missing packages=() thing as_root=()
    find_missing "$@"
    ((${#missing[@]})) || return 0
    for thing in "${missing[@]}"; do packages+=("${debian_package[$thing]}"); done

    if ! has_command apt-get; then
        say "missing: ${missing[*]} (this machine has no apt-get, so they are not installed)"
    elif ((EUID != 0)) && ! has_command sudo; then
        say "missing: ${missing[*]}. Neither root nor sudo: as root, run: apt-get install ${packages[*]}"
    else
        if ((EUID != 0)); then
            as_root=(sudo)
            [[ -t 0 ]] || as_root=(sudo -n)  # nobody there to type a password
        fi
        say "missing: ${missing[*]}. Running: ${as_root[*]:+sudo }apt-get install ${packages[*]}"
        as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
        "${as_root[@]}" update || say "apt-get update failed; trying with the package lists that are there"
        "${as_root[@]}" install -y --no-install-recommends "${packages[@]}" >/dev/null \
            || die "apt-get could not install ${packages[*]}"
        find_missing "${missing[@]}"
    fi

    for thing in "${missing[@]}"; do
        case $thing in
            cmake) die 'CMake 3.25 or newer is needed (where the system has an older one: pip install cmake)' ;;
            c++ | clang++ | ninja | zlib.h | benchmark/benchmark.h) die "cannot build without: $thing" ;;
            liburing.h) say "not installed: $thing; dszero::uring will not be tested" ;;
            eigen3/Eigen/Core) say "not installed: $thing; examples/train is left out, unless CMake finds Eigen elsewhere" ;;
            *) say "not installed: $thing; CMake will download it" ;;
        esac
    done
}

build() {
    local directory=$1 target=$2
    shift 2
    # An existing build folder keeps its generator.
    if has_command ninja; then export CMAKE_GENERATOR=Ninja; fi
    export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
    cmake -S "$root" -B "$root/$directory" "$@" >&2
    cmake --build "$root/$directory" --target "$target" >&2
}

build_and_test() {
    local directory=$1
    shift
    say "$directory: build"
    build "$directory" all -DDSZERO_BUILD_TESTS=ON "$@"
    say "$directory: test"
    ctest --test-dir "$root/$directory" --output-on-failure -j "$(nproc)"
}
