// SPDX-License-Identifier: MIT
// EXPECT-ERROR: deleted (member )?function.*subscribe
#include <gossip/gossip.hpp>

#include <string>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

gossip::Subscription use(gossip::EventBus<>& bus) {
  return bus.subscribe(user_created, [](User&) {});
}
