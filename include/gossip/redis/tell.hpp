// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tell: calls what the user has given to be told. Layer: redis.

#include <gossip/dispatch/current_thread.hpp>

namespace gossip::redis {

/// Calls it, if it is there. What it throws is dropped: the thread belongs to a connection, and there is
/// nobody left to tell. Inside it, a shutdown of the bus does not wait.
/// @param callback  within the provider, which is known by it
/// @throws nothing
template <class Callback, class... Arguments>
void tell(const Callback& callback, const Arguments&... arguments) noexcept {
  if (!callback) return;
  const gossip::detail::ProviderCall call{&callback};
  try {
    callback(arguments...);
  } catch (...) {  // as RedisOptions says
  }
}

}  // namespace gossip::redis
