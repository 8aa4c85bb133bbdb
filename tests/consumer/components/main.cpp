// SPDX-License-Identifier: MIT
// A stranger's program over JSON and Redis. There is no server: what counts is that it links, and
// that the provider says so.
#include <gossip/gossip.hpp>
#include <gossip/json.hpp>
#include <gossip/redis.hpp>

#include <cstdio>
#include <exception>
#include <string>

struct Order {
  int number = 0;
  std::string item;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Order, number, item)
};
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};

int main() {
  gossip::redis::RedisOptions options;
  options.host = "127.0.0.1";
  options.port = 1;  // nobody listens there
  options.fail_fast = true;
  try {
    gossip::EventBus<gossip::redis::RedisProvider> bus{{.workers = 1}, options};
    return bus.publish(order_placed, {1, "tea"}).ok() ? 1 : 2;
  } catch (const std::exception& error) {
    std::printf("as expected: %s\n", error.what());
    return 0;
  }
}
