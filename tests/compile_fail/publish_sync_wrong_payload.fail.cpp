// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (member )?function.*publish_sync
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

bool use(gossip::EventBus<>& bus) { return bus.publish_sync(user_created, 42).ok(); }
