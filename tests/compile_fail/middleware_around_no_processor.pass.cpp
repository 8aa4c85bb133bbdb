// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

auto use() {
  return gossip::chain()([](const User&) {});
}
