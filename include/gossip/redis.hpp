// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Events over Redis. Target: gossip::redis.

#include <gossip/json.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/provider.hpp>
#include <gossip/redis/wire_format.hpp>
