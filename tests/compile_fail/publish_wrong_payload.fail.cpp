// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (member )?function.*publish
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

gossip::Status use(gossip::EventBus<>& bus) { return bus.publish(user_created, 42); }
