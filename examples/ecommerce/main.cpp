// SPDX-License-Identifier: MIT
// A day of the shop: eight orders, of which one is express, two take patience, and two need a person.
#include <gossip/gossip.hpp>

#include "../program.hpp"
#include "shop.hpp"

#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr const char* usage = R"(usage: ecommerce [--help]

Plays a day of a shop: orders are paid, reserved and shipped, mails are sent in batches, and what
cannot be mended becomes a dead letter. Then shows what the analysts have counted.
)";

constexpr gossip::EventType<std::vector<shop::Order>> shift_began{"shop.shift.began"};

int run() {
  int failures = 0;
  // One worker, so that it prints the same each time; a shop would leave that out.
  gossip::EventBus bus{{.workers = 1, .on_error = [&](const gossip::ErrorReport&) { ++failures; }}};
  shop::Shop shop{bus, [](const std::string& line) { std::cout << line << '\n'; }};

  // The orders of a shift are there before the first is looked at: the only worker places them.
  int number = 0;
  auto customers = bus.subscribe(shift_began, [&](const std::vector<shop::Order>& orders) {
    for (const shop::Order& order : orders) {
      std::string request{"req-"};
      request += std::to_string(++number);
      shop.orders.place(request, order).throw_if_error();
    }
  });
  const auto shift = [&](const char* name, std::vector<shop::Order> orders) {
    std::cout << "-- " << name << '\n';
    bus.publish(shift_began, std::move(orders)).throw_if_error();
    bus.drain();  // waits for further attempts, too
  };
  shift("an express order overtakes, and two need a person", {{"o-1", "alice", 30, false},
                                                              {"o-2", "mallory", 999, false},
                                                              {"o-3", "dave", 180, true},
                                                              {"o-4", "erin", -5, false},
                                                              {"o-5", "alice", 100, false},
                                                              {"o-6", "frank", 60, false}});
  shift("the bank is busy", {{"o-7", "carol", 120, false}});
  shift("the warehouse is slow", {{"o-8", "bob", 500, false}});
  std::cout << "-- closing time: the last mails do not wait for others\n";
  shop.mails.flush();

  const auto [orders, turnover] = shop.analytics.large_orders();
  std::cout << orders << " orders above 100, " << turnover << " in all\n";
  return bus.shutdown().clean() && failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  return program::without_arguments("ecommerce", usage, count, arguments, run);
}
