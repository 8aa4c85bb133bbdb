// SPDX-License-Identifier: MIT
// EXPECT-ERROR: nodiscard
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

void use(gossip::EventBus<>& bus) {
  bus.subscribe_all({user_created}, [](const User&) {});
}
