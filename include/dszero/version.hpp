// SPDX-License-Identifier: MIT
//
// The version of dszero: for the preprocessor (these three macros, and DSZERO_INLINE,
// are all that dszero defines) and for everyone else. CMakeLists.txt reads it from here.
#pragma once

#include <string>

#define DSZERO_VERSION_MAJOR 0
#define DSZERO_VERSION_MINOR 1
#define DSZERO_VERSION_PATCH 0

namespace dszero {

inline constexpr int version_major = DSZERO_VERSION_MAJOR;
inline constexpr int version_minor = DSZERO_VERSION_MINOR;
inline constexpr int version_patch = DSZERO_VERSION_PATCH;

/// "0.1.0"
inline std::string version_string() {
    return std::to_string(version_major) + '.' + std::to_string(version_minor) + '.' +
           std::to_string(version_patch);
}

}  // namespace dszero
