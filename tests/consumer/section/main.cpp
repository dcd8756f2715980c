// SPDX-License-Identifier: MIT
//
// A program that needs the structs of a few sections, and no document.
#include <dszero/config/sections/compile.hpp>
#include <dszero/config/sections/monitor.hpp>

int main() {
    dszero::CompileConfig a, b;
    b.deepcompile = true;
    return a == a && a != b && dszero::CommsLoggerConfig{} == dszero::CommsLoggerConfig{} ? 0 : 1;
}
