// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_reader.hpp>

#include "support/proxy.hpp"
#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using gossip::Errc;
using gossip::Status;
using gossip::redis::RedisOptions;
using gossip::redis::StartAt;
using gossip::test::all_acknowledged;
using gossip::test::eventually;
using gossip::test::Handled;
using gossip::test::OnServer;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;
using namespace std::chrono_literals;

namespace {

/// In a group whose members soon take over what others leave.
RedisOptions impatient(const RedisServer& server) {
  auto options = gossip::test::in_group(server);
  options.claim_after = 100ms;
  return options;
}
/// In one where nobody is robbed of events, however busy the machine is.
RedisOptions patient(const RedisServer& server) {
  auto options = gossip::test::in_group(server);
  options.claim_after = 60s;
  return options;
}

/// Whether everything that is pending was delivered once: nobody has claimed it, its holder neither.
bool none_claimed(const RedisServer& server) {
  std::istringstream entries{server.ask({"XPENDING", "order.placed", "workers", "-", "+", "1000"})};
  std::string id;
  std::string owner;
  std::string idle;
  std::string deliveries;
  bool none = false;
  while (entries >> id >> owner >> idle >> deliveries) {
    if (deliveries != "1") return false;
    none = true;
  }
  return none;
}

}  // namespace

TEST_CASE("StreamReader: a group shares the events, and acknowledges each", "[redis]") {
  RedisServer server;
  Handled handled;
  const auto note = [&](const Order& order) { handled.add(order); };
  RedisBus first{{.workers = 1}, patient(server)};
  RedisBus second{{.workers = 1}, patient(server)};
  const auto one = first.subscribe(order_placed, note);
  const auto two = second.subscribe(order_placed, note);
  REQUIRE(publish(server, 0, 1000));
  REQUIRE(handled.wait_for(1000));
  REQUIRE(handled.total() == 1000);
  REQUIRE(all_acknowledged(server));
}

TEST_CASE("StreamReader: without a group everybody reads all", "[redis]") {
  RedisServer server;
  Handled first_handled;
  Handled second_handled;
  RedisBus first{{.workers = 1}, server.options()};
  RedisBus second{{.workers = 1}, server.options()};
  const auto one =
      first.subscribe(order_placed, [&](const Order& order) { first_handled.add(order); });
  const auto two =
      second.subscribe(order_placed, [&](const Order& order) { second_handled.add(order); });
  REQUIRE(publish(server, 0, 500));
  REQUIRE(first_handled.wait_for(500));
  REQUIRE(second_handled.wait_for(500));
}

TEST_CASE("StreamReader: it begins where it is told to", "[redis]") {
  RedisServer server;
  REQUIRE(publish(server, 0, 10));
  auto options = GENERATE(true, false) ? impatient(server) : server.options();
  options.start_at = StartAt::beginning;
  Handled all;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { all.add(o); });
  REQUIRE(all.wait_for(10));

  auto behind = server.options();
  behind.start_at = StartAt::id;
  const std::string entries = server.ask({"XRANGE", "order.placed", "-", "+", "COUNT", "8"});
  const auto last = entries.rfind("-", entries.rfind(" id "));
  const auto begin = entries.rfind(' ', last) + 1;
  behind.start_id = entries.substr(begin, entries.find(' ', begin) - begin);
  Handled rest;
  RedisBus late{{.workers = 1}, behind};
  const auto replay = late.subscribe(order_placed, [&](const Order& o) { rest.add(o); });
  REQUIRE(rest.wait_for(2));
  REQUIRE(publish(server, 100, 101));
  REQUIRE(rest.wait_for(3));
  REQUIRE(rest.total() == 3);
}

TEST_CASE("StreamReader: a group goes on where its last consumer stopped", "[redis]") {
  RedisServer server;
  Handled handled;
  const auto note = [&](const Order& order) { handled.add(order); };
  {
    RedisBus bus{{.workers = 1}, patient(server)};
    const auto subscription = bus.subscribe(order_placed, note);
    REQUIRE(publish(server, 0, 100));
    REQUIRE(handled.wait_for(100));
  }
  REQUIRE(publish(server, 100, 200));
  RedisBus bus{{.workers = 1}, patient(server)};
  const auto subscription = bus.subscribe(order_placed, note);
  REQUIRE(handled.wait_for(200));
  REQUIRE(handled.total() == 200);
}

TEST_CASE("StreamReader: an event whose processor fails comes again, then to the dead letters",
          "[redis]") {
  RedisServer server;
  auto options = impatient(server);
  options.max_deliveries = 3;
  std::atomic<int> calls{0};
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order&) -> Status {
    ++calls;
    return Errc::fatal;
  });
  REQUIRE(publish(server, 7, 8));
  REQUIRE(eventually([&] { return server.ask({"XLEN", "order.placed.dead"}) == "1"; }));
  REQUIRE(all_acknowledged(server));
  REQUIRE(calls == 3);
  const std::string dead = server.ask({"XRANGE", "order.placed.dead", "-", "+"});
  REQUIRE(dead.find("delivered too often") != std::string::npos);
  REQUIRE(dead.find("\"number\":7") != std::string::npos);
}

TEST_CASE_METHOD(OnServer, "StreamReader: an event that cannot be decoded goes to the dead letters",
                 "[redis]") {
  listen(impatient(server));
  for (const char* data : {"null", "{}", "{\"number\":", ""}) {
    server.ask({"XADD", "order.placed", "*", "type", "order.placed", "content-type",
                "application/json", "data", data});
  }
  server.ask({"XADD", "order.placed", "*", "nonsense", "x"});
  server.ask({"XADD", "order.placed", "*", "type", "order.paid", "data", "{}"});
  REQUIRE(publish(server, 1, 2));
  REQUIRE(handled.wait_for(1));
  static_cast<void>(eventually([&] { return server.ask({"XLEN", "order.placed.dead"}) == "6"; }));
  INFO(server.ask({"XRANGE", "order.placed.dead", "-", "+"}));
  REQUIRE(server.ask({"XLEN", "order.placed.dead"}) == "6");
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.total() == 1);
}

TEST_CASE("StreamReader: the end waits for what is being buried", "[redis]") {
  RedisServer server;
  gossip::test::Proxy proxy{server.port()};
  const auto options = patient(server);
  auto to_writer = options;
  to_writer.port = proxy.port();
  gossip::redis::Writer writer{to_writer, true};
  writer.start();
  gossip::redis::StreamReader reader{options, writer, "me"};
  reader.start();
  std::atomic<bool> came{false};
  const auto note = [&](gossip::redis::WireEvent&, gossip::Receipt&) {
    came = true;
    return Status{};
  };
  REQUIRE(reader.subscribe({"order.placed", "order.placed", note}).ok());
  proxy.stall(true);  // so that the dead letter is not confirmed
  server.ask({"XADD", "order.placed", "*", "nonsense", "x"});
  server.ask({"XADD", "order.placed", "*", "type", "order.placed", "data", "{}"});
  REQUIRE(eventually([&] { return came.load(); }));  // so the first has been looked at
  const auto deadline = std::chrono::steady_clock::now() + 100ms;
  reader.close(deadline);
  REQUIRE(std::chrono::steady_clock::now() >= deadline);
}

TEST_CASE("StreamReader: it never reads more than may be in flight", "[redis]") {
  RedisServer server;
  auto options = impatient(server);
  options.max_in_flight = 4;
  gossip::test::Door go_on;
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& order) {
    go_on.wait();
    handled.add(order);
  });
  REQUIRE(publish(server, 0, 20));
  REQUIRE(eventually([&] {
    return server.ask({"XPENDING", "order.placed", "workers"}).find("4 ") == 0;
  }));
  go_on.open();
  REQUIRE(handled.wait_for(20));
  REQUIRE(handled.total() == 20);
}

TEST_CASE("StreamReader: a processor that takes its time is not robbed of its event", "[redis]") {
  RedisServer server;
  gossip::test::Door go_on;
  std::atomic<int> calls{0};
  const auto slow = [&](const Order&) {
    ++calls;
    go_on.wait();
  };
  auto options = patient(server);
  options.claim_after = 3s;  // a machine may stand still for two of them
  RedisBus first{{.workers = 1}, options};
  RedisBus second{{.workers = 1}, options};
  const auto one = first.subscribe(order_placed, slow);
  const auto two = second.subscribe(order_placed, slow);
  REQUIRE(publish(server, 1, 2));
  REQUIRE(eventually([&] { return calls.load() == 1; }));
  gossip::test::let_pass(2 * options.claim_after);
  REQUIRE(none_claimed(server));
  REQUIRE(calls == 1);
  go_on.open();
  REQUIRE(all_acknowledged(server));
  REQUIRE(calls == 1);
}

TEST_CASE_METHOD(OnServer, "StreamReader: what a silent consumer holds is claimed", "[redis]") {
  REQUIRE(server.ask({"XGROUP", "CREATE", "order.placed", "workers", "$", "MKSTREAM"}) == "OK");
  REQUIRE(publish(server, 0, 10));
  server.ask(
      {"XREADGROUP", "GROUP", "workers", "gone", "COUNT", "100", "STREAMS", "order.placed", ">"});
  listen(impatient(server));
  REQUIRE(handled.wait_for(10));
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.total() == 10);
}

TEST_CASE_METHOD(OnServer, "StreamReader: what has been pending for long is claimed at the start",
                 "[redis]") {
  REQUIRE(server.ask({"XGROUP", "CREATE", "order.placed", "workers", "$", "MKSTREAM"}) == "OK");
  REQUIRE(publish(server, 0, 1));
  const std::string read =
      server.ask({"XREADGROUP", "GROUP", "workers", "gone", "STREAMS", "order.placed", ">"});
  const std::string id = read.substr(13, read.find(' ', 13) - 13);  // behind the stream's name
  REQUIRE(server.ask({"XCLAIM", "order.placed", "workers", "gone", "0", id, "IDLE", "3600001",
                      "JUSTID"}) == id);
  auto options = impatient(server);
  options.claim_after = std::chrono::hours{1};
  listen(options);
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("StreamReader: what waits for room in the bus is not claimed by others", "[redis]") {
  RedisServer server;
  auto options = patient(server);
  options.claim_after = 3s;
  options.max_deliveries = 2;
  options.max_in_flight = 20;  // so that neither has them all
  std::atomic<int> begun{0};
  gossip::test::Door go_on;
  Handled handled;
  const auto slow = [&](const Order& order) {
    ++begun;
    go_on.wait();
    handled.add(order);
  };
  RedisBus first{{.workers = 1, .capacity = 2}, options};
  RedisBus second{{.workers = 1, .capacity = 2}, options};
  const auto one = first.subscribe(order_placed, slow);
  const auto two = second.subscribe(order_placed, slow);
  REQUIRE(publish(server, 0, 40));
  REQUIRE(eventually([&] { return begun.load() == 2; }));
  // Has room, and soon nothing but their events to take: what they have no room to read it handles.
  RedisBus third{{.workers = 1}, options};
  const auto three = third.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(eventually([&] {
    const std::string pending = server.ask({"XPENDING", "order.placed", "workers"});
    return std::stoul(pending) + handled.total() == 40;
  }));
  gossip::test::let_pass(2 * options.claim_after);
  const bool kept = none_claimed(server);
  go_on.open();
  REQUIRE(kept);
  REQUIRE(handled.wait_for(40));
  REQUIRE(all_acknowledged(server));
  REQUIRE(handled.total() == 40);
  REQUIRE(server.ask({"EXISTS", "order.placed.dead"}) == "0");
}

TEST_CASE("StreamReader: a bus that shuts down reads no more", "[redis]") {
  RedisServer server;
  auto options = patient(server);
  options.read_count = 8;
  gossip::test::Door go_on;
  std::atomic<int> begun{0};
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order&) {
    ++begun;
    go_on.wait();
  });
  REQUIRE(publish(server, 0, 1));
  REQUIRE(eventually([&] { return begun.load() == 1; }));
  std::thread end{[&] { static_cast<void>(bus.shutdown(gossip::test::patience)); }};
  constexpr gossip::EventType<Order> order_paid{"order.paid"};
  REQUIRE(eventually([&] {
    try {
      const auto refused_once_it_ends = bus.subscribe(order_paid, [](const Order&) {});
      return false;
    } catch (const gossip::Error&) {
      return true;
    }
  }));
  for (int i = 0; i < 50; ++i) REQUIRE(publish(server, i * 20, i * 20 + 20));
  const std::string taken = server.ask({"XPENDING", "order.placed", "workers"});
  go_on.open();
  end.join();
  // The one that runs, one read that was under way, and what was read before the first was refused.
  INFO(taken);
  REQUIRE(std::stoi(taken) <= 1 + 2 * 8);
}

TEST_CASE("StreamReader: equal ids in two streams are two events", "[redis]") {
  constexpr gossip::EventType<Order> order_paid{"order.paid"};
  RedisServer server;
  Handled placed;
  Handled paid;
  RedisBus bus{{.workers = 1}, patient(server)};
  const auto one = bus.subscribe(order_placed, [&](const Order& o) { placed.add(o); });
  const auto two = bus.subscribe(order_paid, [&](const Order& o) { paid.add(o); });
  for (const char* key : {"order.placed", "order.paid"}) {
    server.ask({"XADD", key, "*", "id", "42", "type", key, "content-type", "application/json",
                "data", R"({"number":1,"customer":"ann"})"});
  }
  REQUIRE(placed.wait_for(1));
  REQUIRE(paid.wait_for(1));
}

TEST_CASE("StreamReader: what is subscribed to while a read blocks is read at once", "[redis]") {
  constexpr gossip::EventType<Order> order_paid{"order.paid"};
  constexpr auto npos = std::string::npos;
  RedisServer server;
  auto options = server.options();
  options.block = 1h;
  options.command_timeout = 2h;
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto placed = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(eventually([&] { return server.ask({"CLIENT", "LIST"}).find("flags=b ") != npos; }));
  const auto paid = bus.subscribe(order_paid, [&](const Order& o) { handled.add(o); });
  REQUIRE(bus.publish(order_paid, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("StreamReader: more than one page of a silent consumer's events is claimed at once",
          "[redis]") {
  RedisServer server;
  auto options = patient(server);
  options.claim_after = 36s;  // it looks each third of that
  REQUIRE(server.ask({"XGROUP", "CREATE", "order.placed", "workers", "$", "MKSTREAM"}) == "OK");
  REQUIRE(publish(server, 0, 350));
  server.ask(
      {"XREADGROUP", "GROUP", "workers", "gone", "COUNT", "1000", "STREAMS", "order.placed", ">"});
  std::vector<std::string> claim{"XCLAIM", "order.placed", "workers", "gone", "0"};
  std::istringstream entries{server.ask({"XPENDING", "order.placed", "workers", "-", "+", "1000"})};
  std::string id;
  std::string owner;
  std::string idle;
  std::string deliveries;
  while (entries >> id >> owner >> idle >> deliveries) claim.push_back(id);
  claim.insert(claim.end(), {"IDLE", "100000", "JUSTID"});
  server.ask(claim);  // they have been idle for long
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(handled.wait_for(100));  // at its first look, or, if that came too early, at the second
  REQUIRE(eventually([&] { return handled.distinct() == 350; }, options.claim_after / 4));
  REQUIRE(handled.total() == 350);
}

TEST_CASE("StreamReader: each bus is a consumer of its own", "[redis]") {
  RedisServer server;
  RedisBus first{{.workers = 1}, patient(server)};
  RedisBus second{{.workers = 1}, patient(server)};
  const auto one = first.subscribe(order_placed, [](const Order&) {});
  const auto two = second.subscribe(order_placed, [](const Order&) {});
  REQUIRE(eventually([&] {
    REQUIRE(publish(server, 0, 50));
    const std::string consumers = server.ask({"XINFO", "CONSUMERS", "order.placed", "workers"});
    return consumers.find("name ") != consumers.rfind("name ");
  }));
}

TEST_CASE("StreamReader: a stream whose ids begin lower after a loss is read, and the gap told",
          "[redis]") {
  RedisServer server;
  gossip::test::Told told;
  auto options = GENERATE(true, false) ? patient(server) : server.options();
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(publish(server, 1, 2));
  REQUIRE(handled.wait_for(1));
  if (GENERATE(true, false)) {
    server.ask({"FLUSHALL"});
  } else {
    server.restart();
  }
  // As by a host whose clock is behind.
  const auto add = [&](const char* at, const char* data) {
    server.ask({"XADD", "order.placed", at, "type", "order.placed", "content-type",
                "application/json", "data", data});
  };
  add("1000-0", R"({"number":2,"customer":"ann"})");
  add("1000-1", R"({"number":3,"customer":"ann"})");
  REQUIRE(handled.wait_for(3));
  REQUIRE(told.wait_for("gap: "));
  REQUIRE(handled.total() == 3);
  REQUIRE(told.count("gap: ") == 1);
}

TEST_CASE("StreamReader: a stream that is the same after a loss is not read anew", "[redis]") {
  RedisServer server;
  gossip::test::Told told;
  auto options = GENERATE(true, false) ? patient(server) : server.options();
  options.deduplication_window = 0;
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(publish(server, 0, 10));
  REQUIRE(handled.wait_for(10));
  server.ask({"CLIENT", "KILL", "TYPE", "normal"});
  REQUIRE(publish(server, 10, 20));
  REQUIRE(handled.wait_for(20));
  REQUIRE(handled.total() == 20);
  REQUIRE(told.count("gap: ") == 0);
}

TEST_CASE("StreamReader: a dead letter that is refused is told until its stream is not read",
          "[redis]") {
  const RedisServer server;
  Told told;
  auto options = patient(server);
  options.start_at = StartAt::beginning;
  told.listen(options);
  constexpr gossip::EventType<Order> other{"order.other"};
  server.ask({"SET", "order.placed.dead", "no stream"});
  RedisBus bus{{.workers = 1}, options};
  auto refused = bus.subscribe(order_placed, [](const Order&) {});
  const auto goes_on = bus.subscribe(other, [](const Order&) {});
  server.ask({"XADD", "order.placed", "*", "nonsense", "x"});
  REQUIRE(told.wait_for("redis: XADD order.placed.dead: WRONGTYPE"));
  const std::size_t ready = told.count("ready");
  server.ask({"XADD", "order.other", "*", "nonsense", "x"});
  REQUIRE(eventually([&] { return bus.provider_statistics().reader.dead_lettered == 1; }));
  REQUIRE(told.count("ready") == ready);
  refused.cancel();
  REQUIRE(told.wait_for("ready", ready + 1));
  REQUIRE(told.count("degraded") == 1);
}
