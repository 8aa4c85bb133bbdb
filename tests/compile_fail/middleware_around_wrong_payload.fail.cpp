// SPDX-License-Identifier: MIT
// EXPECT-ERROR: no matching (member )?function.*subscribe|no match for call|no matching function for call to object
#include <gossip/gossip.hpp>

#include <string>
#include <utility>

struct User {
  std::string name;
};
inline constexpr gossip::EventType<User> user_created{"auth.user.created"};

auto pass_on = [](auto next) {
  return [next = std::move(next)](const auto& event, gossip::Context& context) {
    return next(event, context);
  };
};

gossip::Subscription use(gossip::EventBus<>& bus) {
  return bus.subscribe(user_created, gossip::chain(pass_on)([](const std::string&) {}));
}
