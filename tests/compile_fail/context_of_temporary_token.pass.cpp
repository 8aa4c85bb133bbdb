// SPDX-License-Identifier: MIT
#include <gossip/core/context.hpp>

#include <stop_token>

bool use(const std::stop_source& source) {
  const std::stop_token token = source.get_token();
  const gossip::Context context{token};
  return context.stop_requested();
}
