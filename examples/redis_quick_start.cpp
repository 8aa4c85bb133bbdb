// SPDX-License-Identifier: MIT
// The README's first program over Redis.

// clang-format off
// [redis_quick_start]
#include <gossip/redis.hpp>
#include <iostream>
#include <latch>
#include <string>

struct Order { int number; NLOHMANN_DEFINE_TYPE_INTRUSIVE(Order, number) };
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};

int main(int count, char** arguments) try {
  gossip::redis::RedisOptions options;                    // of 127.0.0.1
  const int port = count > 1 ? std::stoi(arguments[1]) : 6379;
  options.port = static_cast<std::uint16_t>(port);
  options.group = "billing";                              // its members share the orders
  options.fail_fast = true;                               // no server: throw here
  gossip::EventBus<gossip::redis::RedisProvider> bus{{}, options};

  std::latch billed{1};
  auto bill = bus.subscribe(order_placed, [&](const Order& order) {
    std::cout << "order " << order.number << '\n';
    billed.count_down();
  });
  bus.publish(order_placed, {.number = 7}).throw_if_error();
  billed.wait();                                          // it has been to the server and back
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
// [/redis_quick_start]
// clang-format on
