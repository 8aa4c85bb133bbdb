// SPDX-License-Identifier: MIT
// The program that each consumer project builds: it uses gossip as a stranger would.
#include <gossip/gossip.hpp>

#include <atomic>
#include <string>

struct UserData {
  std::string id;
  std::string name;
};
inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};

int main() {
  std::atomic<int> greeted{0};
  gossip::EventBus bus;
  auto welcome = bus.subscribe(user_created, [&](const UserData& user) {
    if (user.name == "alice") ++greeted;
  });
  bus.publish(user_created, {.id = "123", .name = "alice"});
  bus.drain();
  return greeted == 1 ? 0 : 1;
}
