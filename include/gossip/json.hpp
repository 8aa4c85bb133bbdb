// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The codecs on nlohmann_json. Target: gossip::json.

#include <gossip/json/codecs.hpp>
#include <gossip/json/json_payload.hpp>
