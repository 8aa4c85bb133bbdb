// SPDX-License-Identifier: MIT
// The README's quick start. Prints: welcome, alice

// clang-format off
// [quick_start]
#include <gossip/gossip.hpp>
#include <iostream>

struct UserData { std::string id; std::string name; };
inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};

int main() {
  gossip::EventBus bus;                                       // in memory
  auto welcome = bus.subscribe(user_created, [](const UserData& user) {
    std::cout << "welcome, " << user.name << '\n';
  });
  bus.publish(user_created, {.id = "123", .name = "alice"});  // answers whether it was accepted
  bus.drain();                                                // waits until she has been greeted
}                                                             // unsubscribes, then stops the bus
// [/quick_start]
// clang-format on
