// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no match for .operator&&|invalid operands to binary expression
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

gossip::Subscription use(gossip::EventBus<>& bus) {
  return bus.subscribe(
      user_created,
      gossip::has_metadata("key") && [](const User& user) { return user.name.empty(); },
      [](const User&) {});
}
