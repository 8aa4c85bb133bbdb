// SPDX-License-Identifier: MIT
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
  return bus.subscribe(user_created, gossip::chain(pass_on)([](const User&) {}));
}
