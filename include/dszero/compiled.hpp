// SPDX-License-Identifier: MIT
//
// Headers only, or compiled once: DSZERO_COMPILED, defined for a whole program, leaves only declarations of
// what is large in its source files, and the definitions to dszero.cpp, which is one of them. The CMake
// target dszero::compiled does both; without the macro the headers are all that there is.
#pragma once

/// Before the definitions of functions that dszero.cpp can hold.
#ifdef DSZERO_COMPILED
#define DSZERO_INLINE
#else
#define DSZERO_INLINE inline
#endif
