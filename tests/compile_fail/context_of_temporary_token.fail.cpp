// SPDX-License-Identifier: MIT
// EXPECT-ERROR: (use of|to) deleted (function|constructor)
#include <gossip/core/context.hpp>

#include <stop_token>

bool use(const std::stop_source& source) {
  const gossip::Context context{source.get_token()};
  return context.stop_requested();
}
