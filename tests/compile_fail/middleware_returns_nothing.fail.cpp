// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching function for call to .chain
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

auto silent = [](auto) {};

auto use() { return gossip::chain(silent); }
