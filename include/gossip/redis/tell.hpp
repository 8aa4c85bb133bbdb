// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// tell: calls what the user has given to be told. Layer: redis.

namespace gossip::redis {

/// Calls it, if it is there. What it throws is dropped: the thread belongs to a connection, and there is
/// nobody left to tell.
/// @throws nothing
template <class Callback, class... Arguments>
void tell(const Callback& callback, const Arguments&... arguments) noexcept {
  if (!callback) return;
  try {
    callback(arguments...);
  } catch (...) {  // as RedisOptions says
  }
}

}  // namespace gossip::redis
