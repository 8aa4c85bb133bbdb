// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

void use(gossip::EventBus<>& bus) { bus.publish_sync(user_created, {"alice"}).throw_if_error(); }
