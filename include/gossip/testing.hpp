// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What tests of programs that use gossip want: a bus that runs on the test's own thread, processors
/// that record, waiting without sleeping, what to prove a provider by. Not part of gossip.hpp.

#include <gossip/gossip.hpp>
#include <gossip/testing/provider_conformance.hpp>
#include <gossip/testing/recording_processor.hpp>
#include <gossip/testing/test_bus.hpp>
#include <gossip/testing/wait.hpp>
