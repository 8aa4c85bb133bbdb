// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (member )?function.*subscribe
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

gossip::Subscription use(gossip::EventBus<>& bus) {
  return bus.subscribe(
      user_created, [](const std::string& name) { return name.empty(); }, [](const User&) {});
}
