// SPDX-License-Identifier: MIT
// The guide's recipes: what one builds of events again and again.
#include <gossip/gossip.hpp>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

struct Order {
  int number = 0;
  int amount = 0;
};
constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
constexpr gossip::EventType<Order> order_paid{"shop.order.paid"};
constexpr gossip::EventType<Order> order_cancelled{"shop.order.cancelled"};
constexpr gossip::EventType<Order> price_wanted{"shop.price.wanted"};
constexpr gossip::EventType<Order> price_found{"shop.price.found"};

void pipeline() {
  std::puts("-- steps that follow one another");
  gossip::EventBus bus{{.workers = 1}};
  // [pipeline]
  // Each step knows the event before it and the one after it. What fails is undone by an event, too.
  auto pay = bus.subscribe(order_placed, [&](const Order& order) {
    return order.amount <= 100 ? bus.publish(order_paid, order)
                               : bus.publish(order_cancelled, order);
  });
  auto ship = bus.subscribe(
      order_paid, [](const Order& order) { std::printf("order %d is shipped\n", order.number); });
  auto undo = bus.subscribe(order_cancelled, [](const Order& order) {
    std::printf("order %d is called off\n", order.number);
  });
  // [/pipeline]
  for (const int amount : {10, 1000})
    bus.publish(order_placed, {.number = amount, .amount = amount});
  bus.drain();
}

// [journal]
/// Writes orders to a file before they are published: who loses power publishes them once more. For
/// one thread.
class Journal {
 public:
  explicit Journal(std::string path) : path_{std::move(path)} {}

  template <class Bus>
  gossip::Status publish(Bus& bus, const Order& order) {
    std::ofstream file{path_, std::ios::app};
    file << order.number << ' ' << order.amount << std::endl;  // NOLINT(performance-avoid-endl)
    if (!file) return gossip::RetryableError{"the journal cannot be written"};
    return bus.publish(order_placed, order);
  }

  /// After a restart. Processors then see some orders again: let them be idempotent, or deduplicate.
  template <class Bus>
  gossip::Status replay(Bus& bus) const {
    std::ifstream file{path_};
    for (Order order; file >> order.number >> order.amount;) {
      if (auto status = bus.publish(order_placed, order); !status.ok()) return status;
    }
    return {};
  }

 private:
  std::string path_;
};
// [/journal]

void journal() {
  std::puts("-- written down first");
  const std::string path = "recipes-journal.tmp";
  std::remove(path.c_str());
  Journal orders{path};
  {
    gossip::EventBus bus{{.workers = 1}};  // nobody is subscribed: the work is not done
    if (!orders.publish(bus, {.number = 7, .amount = 70}).ok()) std::puts("not written");
  }
  {
    gossip::EventBus bus{{.workers = 1}};
    auto once = gossip::deduplicate({}, &Order::number);
    auto work = bus.subscribe(order_placed, once([](const Order& order) {
                                std::printf("order %d, after all\n", order.number);
                              }));
    for (int restart = 0; restart < 2; ++restart) {
      if (!orders.replay(bus).ok()) std::puts("not replayed");
      bus.drain();
    }
  }
  std::remove(path.c_str());
}

void answer() {
  std::puts("-- a question and its answer");
  gossip::EventBus bus{{.workers = 1}};
  // [answer]
  // A question carries a number; whoever asked waits for the answer with that number.
  auto shop = bus.subscribe(price_wanted, [&](const Order& question) {
    return bus.publish(price_found, {.number = question.number, .amount = 42});
  });
  auto mine = bus.subscribe(price_found,
                            gossip::where([](const Order& found) { return found.number == 3; }),
                            [](const Order& found) { std::printf("it costs %d\n", found.amount); });
  bus.publish(price_wanted, {.number = 3});
  bus.publish(price_wanted, {.number = 4});  // somebody else's
  // [/answer]
  bus.drain();
}

void state() {
  std::puts("-- state kept by events");
  // [state]
  // State that one processor alone touches needs no lock where there is one call at a time.
  std::map<int, int> totals;
  gossip::EventBus bus{{.workers = 4}};
  auto sum = bus.subscribe(order_paid,
                           [&](const Order& order) { totals[order.number % 2] += order.amount; },
                           {.max_concurrency = 1});
  for (int number = 1; number <= 10; ++number) bus.publish(order_paid, {number, 1});
  bus.drain();
  // [/state]
  for (const auto& [key, total] : totals) std::printf("%d: %d\n", key, total);
}

}  // namespace

int main() {
  pipeline();
  journal();
  answer();
  state();
}
