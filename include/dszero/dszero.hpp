// SPDX-License-Identifier: MIT
//
// What a trainer includes.
//
//     dszero::load("ds_config.json").value().zero_config.stage
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/json.hpp>
#include <dszero/version.hpp>
