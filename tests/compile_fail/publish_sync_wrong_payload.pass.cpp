// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

bool use(gossip::EventBus<>& bus) { return bus.publish_sync(user_created, User{"alice"}).ok(); }
