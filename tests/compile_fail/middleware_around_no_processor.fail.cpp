// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no match for call|no matching function for call
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

auto use() { return gossip::chain()(42); }
