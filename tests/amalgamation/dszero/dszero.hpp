// SPDX-License-Identifier: MIT
//
// Lets tests/consumer be compiled against the one-file form of the library.
#pragma once

#include "dszero_config.hpp"
