// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

gossip::Subscription use(gossip::EventBus<>& bus) {
  return bus.subscribe(
      user_created, [](const User& user) { return user.name.empty(); }, [](const User&) {});
}
