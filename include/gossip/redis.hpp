// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Events over Redis: the bus and its RedisProvider. Target: gossip::redis.

#include <gossip/bus/event_bus.hpp>
#include <gossip/json.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/provider.hpp>
#include <gossip/redis/wire_format.hpp>
