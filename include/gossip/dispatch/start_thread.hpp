// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// start_thread: the one place where gossip makes threads. Layer: dispatch.

#include <thread>

namespace gossip::detail {

/// What a thread runs.
struct ThreadBody {
  void (*run)(void* context);  ///< must not throw
  void* context;

  void operator()() const { run(context); }
};

/// Starts a thread that calls `run(context)`. Not a template: each type of callable that is given to
/// std::thread costs dozens of functions to compile.
/// @throws std::system_error  no thread is to be had
inline std::thread start_thread(void (*run)(void* context), void* context) {
  return std::thread{ThreadBody{run, context}};
}

}  // namespace gossip::detail
