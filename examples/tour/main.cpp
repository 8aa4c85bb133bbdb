// SPDX-License-Identifier: MIT
// A tour of gossip, one feature at a time. Each step is a function with a bus of its own; the text
// between `// [name]` and `// [/name]` is what the README shows. Most steps have one worker, so that
// they print the same each time, and drain the bus before they go on.
#include <gossip/gossip.hpp>

#include "../program.hpp"

#include <chrono>
#include <cstddef>
#include <iostream>
#include <latch>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// [event_types]
struct UserData {
  std::string id;
  std::string name;
};
struct Order {
  int number = 0;
  double amount = 0;
};

inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};
inline constexpr gossip::EventType<UserData> user_deleted{"auth.user.deleted"};
inline constexpr gossip::EventType<Order> order_placed{"shop.order.placed"};
inline constexpr gossip::EventType<std::string> note_written{"shop.note.written"};
inline constexpr gossip::EventType<void> day_ended{"shop.day.ended"};  // carries no data
// [/event_types]

namespace {

using std::cout;

void event_types() {
  cout << user_created.name() << ", " << day_ended.name() << '\n';
  // [event_type_at_run_time]
  const auto type = gossip::EventType<Order>::parse("shop.order." + std::string{"paid"});
  cout << type.name() << '\n';
  try {
    (void)gossip::EventType<Order>::parse("shop..order");
  } catch (const std::invalid_argument& error) {
    cout << error.what() << '\n';
  }
  // [/event_type_at_run_time]
}

void processors() {
  gossip::EventBus bus{{.workers = 1}};
  // [processors]
  auto by_data = bus.subscribe(order_placed, [](const Order& order) {  //
    cout << "data: order " << order.number << '\n';
  });
  auto by_event = bus.subscribe(order_placed, [](const gossip::Event<Order>& event) {
    cout << "event: " << event.type() << ", order " << event.data().number << '\n';
  });
  auto by_context =
      bus.subscribe(order_placed, [](const gossip::Event<Order>&, gossip::Context& context) {
        cout << "context: attempt " << context.attempt() << '\n';
      });
  auto by_nothing = bus.subscribe(day_ended, [] { cout << "nothing: the day has ended\n"; });

  bus.publish(order_placed, {.number = 1, .amount = 9.5});
  bus.publish(day_ended);
  bus.drain();  // waits until both have been handled
  // [/processors]
}

void context_and_status() {
  gossip::EventBus bus{{.workers = 1}};
  // [context_and_status]
  auto charge = bus.subscribe(
      order_placed,
      [](const gossip::Event<Order>& event, gossip::Context& context) -> gossip::Status {
        if (context.stop_requested()) return gossip::Errc::cancelled;
        if (event.data().amount <= 0) return gossip::ValidationError{"amount", "must be positive"};
        return {};  // success
      });

  if (bus.publish_sync(order_placed, {.number = 1, .amount = 9.5})) cout << "charged\n";
  for (const auto& error : bus.publish_sync(order_placed, {.number = 2}).errors) {
    cout << error.status.what() << '\n';
    if (error.status == gossip::Errc::validation_failed) cout << "trying again cannot help\n";
  }
  std::stop_source stop;
  stop.request_stop();
  const auto result = bus.publish_sync(order_placed, {.number = 3}, {.stop = stop.get_token()});
  cout << result.errors.front().status.what() << '\n';
  // [/context_and_status]
}

void errors() {
  // [error_handler]
  gossip::EventBus bus{{.workers = 1, .on_error = [](const gossip::ErrorReport& report) {
                          cout << report.subscription_name << " failed at " << report.event_type
                               << ", attempt " << report.attempt << ": " << report.status.what()
                               << '\n';
                        }}};
  auto mail = bus.subscribe(user_created,
                            [](const UserData&) { throw std::runtime_error{"no mail server"}; },
                            {.name = "mail"});
  auto audit = bus.subscribe(user_created,
                             [](const UserData& user) { cout << "audit: " << user.name << '\n'; },
                             {.name = "audit"});

  bus.publish(user_created, {.id = "123", .name = "alice"});  // asynchronous: told to on_error
  bus.drain();
  // [/error_handler]
  // [publish_sync]
  const auto result = bus.publish_sync(user_created, {.id = "124", .name = "bob"});
  cout << result.calls << " calls, " << result.errors.size() << " failed\n";
  for (const auto& error : result.errors) {
    cout << error.subscription_name << ": " << error.status.what() << '\n';
  }
  try {
    result.throw_if_error();
  } catch (const gossip::ProcessingError& error) {
    cout << "thrown: " << error.message() << '\n';
  }
  // [/publish_sync]
}

void metadata() {
  gossip::EventBus bus{{.workers = 1}};
  // [metadata]
  auto trace = bus.subscribe(user_created, [](const gossip::Event<UserData>& event) {
    // An event need not have an entry, nor need it be a text.
    const auto* request = event.metadata().get_if<std::string>("request_id");
    cout << event.data().name << ", priority " << to_string(event.priority()) << ", request "
         << (request != nullptr ? *request : "unknown") << ", " << event.metadata().size()
         << " entries\n";
  });

  bus.publish(gossip::Event{user_created, {.id = "123", .name = "alice"}}
                  .with_metadata("request_id", "req-1")
                  .with_metadata("retries", 0)
                  .with_priority(gossip::Priority::high));
  bus.drain();
  // [/metadata]
}

void unsubscribing() {
  gossip::EventBus bus{{.workers = 1}};
  // [unsubscribing]
  const auto shout = [](const UserData& user) { cout << "created: " << user.name << '\n'; };
  {
    auto scoped = bus.subscribe(user_created, shout);
    bus.publish_sync(user_created, {.id = "1", .name = "alice"}).throw_if_error();
  }  // unsubscribed: the processor is not running, and never will again
  bus.publish_sync(user_created, {.id = "2", .name = "bob"}).throw_if_error();

  auto handle = bus.subscribe(user_created, shout);
  handle.cancel();  // the same, by hand

  const gossip::SubscriptionId id = bus.subscribe(user_created, shout).detach();  // no handle
  bus.publish_sync(user_created, {.id = "3", .name = "carol"}).throw_if_error();
  cout << "ended: " << bus.unsubscribe(id) << ", again: " << bus.unsubscribe(id) << '\n';
  // [/unsubscribing]
}

void once() {
  gossip::EventBus bus{{.workers = 1}};
  // [once]
  auto first = bus.subscribe(
      user_created, [](const UserData& user) { cout << "the first: " << user.name << '\n'; },
      {.lifetime = gossip::SubscribeOptions::Lifetime::once});

  bus.publish(user_created, {.id = "1", .name = "alice"});
  bus.publish(user_created, {.id = "2", .name = "bob"});
  bus.drain();
  // [/once]
}

void several_types() {
  gossip::EventBus bus{{.workers = 1}};
  // [subscribe_all]
  auto audit =
      bus.subscribe_all({user_created, user_deleted}, [](const gossip::Event<UserData>& event) {
        cout << event.type() << ": " << event.data().name << '\n';
      });

  bus.publish(user_created, {.id = "1", .name = "alice"});
  bus.publish(user_deleted, {.id = "1", .name = "alice"});
  bus.drain();
  // [/subscribe_all]
}

void publisher_and_batch() {
  gossip::EventBus bus{{.workers = 1}};
  double total = 0;
  // [publisher]
  auto sum = bus.subscribe(order_placed, [&](const Order& order) { total += order.amount; });

  auto orders = bus.publisher(order_placed);  // looks the type up once
  orders.publish({.number = 1, .amount = 1.5});
  orders.publish({.number = 2, .amount = 2.5});
  // [/publisher]
  bus.drain();
  cout << "total " << total << '\n';
  // [publish_batch]
  const std::vector<Order> backlog{{3, 10}, {4, 20}, {5, 30}};
  const gossip::BatchResult result = bus.publish_batch(order_placed, backlog);
  if (!result.status.ok()) cout << "stopped: " << result.status.what() << '\n';
  cout << "published " << result.published << " of " << backlog.size() << '\n';
  // [/publish_batch]
  bus.drain();
  cout << "total " << total << '\n';
  // [emplace]
  auto read = bus.subscribe(note_written, [](const std::string& note) { cout << note << '\n'; });
  bus.emplace(note_written, "thank you");  // makes the payload from the arguments
  // [/emplace]
  bus.drain();
}

/// Publishes orders 1 to 5 while the only worker is busy and the queue has room for two.
void overflow(gossip::OverflowPolicy policy) {
  std::latch busy{1};
  std::latch go_on{1};
  // [overflow]
  gossip::EventBus bus{{.workers = 1, .capacity = 2, .overflow = policy}};
  auto hold = bus.subscribe(day_ended, [&] {
    busy.count_down();
    go_on.wait();
  });
  auto show = bus.subscribe(order_placed, [](const Order& order) { cout << ' ' << order.number; });

  bus.publish(day_ended);
  busy.wait();
  cout << to_string(policy) << ": published";
  for (int number = 1; number <= 5; ++number) {
    const gossip::Status status = bus.publish(order_placed, {.number = number});
    cout << ' ' << number << (status == gossip::Errc::queue_full ? " (queue full)" : "");
  }
  // [/overflow]
  cout << "; handled";
  go_on.count_down();
  bus.drain();
  cout << '\n';
}

void overflow_policies() {
  overflow(gossip::OverflowPolicy::reject);
  overflow(gossip::OverflowPolicy::drop_oldest);
  overflow(gossip::OverflowPolicy::drop_newest);
  cout << "block, the default, waits for space\n";
}

void reentrancy() {
  gossip::EventBus bus{{.workers = 2}};
  // [reentrancy]
  auto announce = bus.subscribe(user_created, [&](const UserData&) {
    return bus.publish(order_placed, {.number = 1});  // its Status becomes the processor's
  });
  auto gift = bus.subscribe(order_placed, [](const Order& order) {
    cout << "a gift for the newcomer: order " << order.number << '\n';
  });

  bus.publish(user_created, {.id = "1", .name = "alice"});
  bus.drain();  // waits for what processors publish, too
  // [/reentrancy]
}

void statistics() {
  gossip::EventBus bus{{.workers = 2}};
  // [statistics]
  auto ok = bus.subscribe(order_placed, [](const Order&) {}, {.name = "ok"});
  auto broken =
      bus.subscribe(order_placed, [](const Order&) { return gossip::Status{gossip::Errc::fatal}; },
                    {.name = "broken"});

  for (int number = 1; number <= 10; ++number) bus.publish(order_placed, {.number = number});
  bus.publish(day_ended);
  bus.drain();

  const gossip::Statistics stats = bus.stats();
  cout << stats.published << " published, " << stats.handled << " handled, " << stats.unmatched
       << " that nobody wanted\n";
  for (const auto& type : stats.types) {
    cout << type.event_type << ": " << type.dispatched << " dispatched\n";
  }
  for (const auto& subscription : stats.subscriptions) {
    cout << subscription.name << ": " << subscription.delivered << " delivered, "
         << subscription.failed << " failed\n";
  }
  // [/statistics]
}

void life() {
  // [life]
  gossip::EventBus bus{{.workers = 2, .shutdown_timeout = std::chrono::seconds{5}}};
  auto show = bus.subscribe(order_placed,
                            [](const Order& order) { cout << "order " << order.number << '\n'; });

  bus.publish(order_placed, {.number = 1});
  const bool drained = bus.drain_for(std::chrono::seconds{30});  // the bus goes on afterwards
  cout << "drained: " << drained << '\n';

  bus.publish(order_placed, {.number = 2});
  const gossip::ShutdownReport report = bus.shutdown();  // ends the bus, as its destructor does
  cout << "clean: " << report.clean() << ", abandoned: " << report.abandoned << '\n';
  cout << "afterwards: " << bus.publish(order_placed, {.number = 3}).what() << '\n';
  // [/life]
}

void manual_clock() {
  // [manual_clock]
  gossip::ManualClock clock;  // stands still: for tests
  gossip::EventBus<gossip::InMemoryProvider, gossip::ManualClock> bus{{.workers = 1}, {}, clock};
  std::vector<gossip::Timestamp> times;
  auto note = bus.subscribe(
      order_placed, [&](const gossip::Event<Order>& event) { times.push_back(event.timestamp()); });

  bus.publish(order_placed, {.number = 1});
  clock.advance(std::chrono::minutes{2});
  bus.publish(order_placed, {.number = 2});
  bus.drain();
  cout << (times[1] - times[0]) / std::chrono::seconds{1} << " seconds apart\n";
  // [/manual_clock]
}

void any_event() {
  // [any_event]
  const gossip::AnyEvent any{gossip::Event{user_created, {.id = "123", .name = "alice"}}};
  cout << any.type() << " carries a " << any.payload().name << '\n';
  if (const auto* user = any.get_if<UserData>()) cout << "it is " << user->name << '\n';
  try {
    (void)any.get<Order>();
  } catch (const gossip::TypeAssertionError& error) {
    cout << error.what() << '\n';
  }
  // [/any_event]
}

void one_name_one_type() {
  gossip::EventBus bus{{.workers = 1}};
  // [one_name_one_type]
  constexpr gossip::EventType<Order> impostor{"auth.user.created"};
  auto show = bus.subscribe(user_created, [](const UserData&) {});
  cout << bus.publish(impostor, {.number = 1}).what() << '\n';
  // [/one_name_one_type]
}

void global_bus() {
  // [global_bus]
  gossip::init_global_bus({.workers = 1});  // before its first use, or it has default options
  auto show = gossip::global_bus().subscribe(
      user_created, [](const UserData& user) { cout << "everywhere: " << user.name << '\n'; });

  gossip::global_bus().publish(user_created, {.id = "123", .name = "alice"});
  gossip::global_bus().drain();
  // [/global_bus]
}

struct Step {
  std::string_view heading;
  void (*run)();
};

constexpr Step steps[] = {
    {"event types", event_types},
    {"processors", processors},
    {"context and status", context_and_status},
    {"errors", errors},
    {"metadata", metadata},
    {"unsubscribing", unsubscribing},
    {"once", once},
    {"one processor, several types", several_types},
    {"publisher and batch", publisher_and_batch},
    {"overflow policies", overflow_policies},
    {"events that cause events", reentrancy},
    {"statistics", statistics},
    {"drain and shutdown", life},
    {"manual clock", manual_clock},
    {"any event", any_event},
    {"one name, one payload type", one_name_one_type},
    {"global bus", global_bus},
};

}  // namespace

int main(int count, char** arguments) {
  constexpr const char* usage = "usage: tour [--help]\nShows gossip, one feature at a time.\n";
  return program::without_arguments("tour", usage, count, arguments, [] {
    cout << std::boolalpha;
    int number = 0;
    for (const Step& step : steps) {
      ++number;
      cout << (number == 1 ? "" : "\n") << number << ". " << step.heading << '\n';
      step.run();
    }
    return 0;
  });
}
