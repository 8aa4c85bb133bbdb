// SPDX-License-Identifier: MIT
// A small user of gossip, whose compile time has a budget: cmake/checks/compile_time.sh.
#include <gossip/gossip.hpp>

#include <string>

struct UserData {
  std::string id;
  std::string name;
};
inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};

int main() {
  gossip::EventBus bus;
  std::string last;
  auto welcome = bus.subscribe(user_created, [&](const UserData& user) { last = user.name; });
  bus.publish(user_created, {.id = "123", .name = "alice"});
}
