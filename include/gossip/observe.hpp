// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Seeing what a bus does, from outside: for monitoring.

#include <gossip/observe/prometheus.hpp>
#include <gossip/observe/topology_graph.hpp>
#include <gossip/observe/topology_json.hpp>
#include <gossip/observe/trace.hpp>
#include <gossip/observe/trace_context.hpp>
