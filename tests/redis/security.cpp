// SPDX-License-Identifier: MIT
// Passwords, access control lists and TLS, with a real server. README.md has the table.
#include <gossip/redis.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using gossip::EventType;
using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::test::eventually;
using gossip::test::free_port;
using gossip::test::Handled;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::publish;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::test::Told;
using namespace std::chrono_literals;

namespace {

constexpr EventType<Order> order_paid{"order.paid"};

/// A server on which the user "ann" with the password "sesame" has these rights.
struct WithUser {
  explicit WithUser(const std::vector<std::string>& rights) {
    std::vector<std::string> words{"ACL", "SETUSER", "ann", "on", ">sesame"};
    words.insert(words.end(), rights.begin(), rights.end());
    REQUIRE(server.ask(words) == "OK");
  }
  [[nodiscard]] RedisOptions options() const {
    auto options = server.options();
    options.username = "ann";
    options.password = "sesame";
    return options;
  }
  RedisServer server;
};

/// Keys and certificates in a folder of their own, made by the openssl command.
class Certificates {
 public:
  Certificates() {
    char name[] = "/tmp/gossip-tls-XXXXXX";
    if (::mkdtemp(name) == nullptr) throw std::runtime_error{"no temporary folder"};
    folder_ = name;
    authority("ca");
    authority("stranger");
    certificate("good", "ca", "IP:127.0.0.1,DNS:localhost", "-days 2");
    certificate("elsewhere", "ca", "DNS:elsewhere.example", "-days 2");
    certificate("expired", "ca", "IP:127.0.0.1", "-days -1");
    certificate("client", "ca", "DNS:client", "-days 2");
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder_ / name).string();
  }

 private:
  void run(const std::string& command) const {
    const std::string whole = "cd " + folder_.string() + " && openssl " + command + " 2>> log";
    if (std::system(whole.c_str()) != 0) throw std::runtime_error{"openssl failed: " + whole};
  }
  static std::string new_key(const std::string& name) {
    return "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + name +
           ".key -subj /CN=" + name;
  }
  void authority(const std::string& name) const {
    run("req -x509 " + new_key(name) + " -days 2 -out " + name + ".pem");
  }
  void certificate(const std::string& name, const std::string& by, const std::string& names,
                   const std::string& validity) const {
    run("req " + new_key(name) + " -out " + name + ".csr");
    run("x509 -req -in " + name + ".csr -CA " + by + ".pem -CAkey " + by + ".key -CAcreateserial " +
        validity + " -out " + name + ".pem -extfile /dev/stdin <<END\nsubjectAltName=" + names +
        "\nEND\ntrue");
  }
  std::filesystem::path folder_;
};

const Certificates& certificates() {
  static const Certificates all;
  return all;
}

/// A server that shows that certificate on a second port.
struct Secured {
  explicit Secured(const std::string& certificate, const std::string& clients = "no")
      : port{free_port()},
        server{{"--tls-port", std::to_string(port), "--tls-cert-file",
                certificates().file(certificate + ".pem"), "--tls-key-file",
                certificates().file(certificate + ".key"), "--tls-ca-cert-file",
                certificates().file("ca.pem"), "--tls-auth-clients", clients}} {}
  [[nodiscard]] RedisOptions options() const {
    auto options = server.options();
    options.port = port;
    options.tls.enabled = true;
    options.tls.ca_file = certificates().file("ca.pem");
    options.connect_timeout = 20s;
    return options;
  }
  std::uint16_t port;
  RedisServer server;
};

}  // namespace

TEST_CASE("failure: wrong password: typed, without a tight retry, and never shown",
          "[redis][failure]") {
  WithUser ann{{"~*", "&*", "+@all"}};
  Told told;
  auto options = ann.options();
  if (GENERATE(true, false)) {
    options.password = "letmein";
  } else {
    options.username = "bob";
  }
  options.back_off_initial = 1ms;
  options.back_off_cap = 1h;
  options.back_off_jitter = 0;
  told.listen(options);
  {
    RedisBus bus{{.workers = 1}, options};
    REQUIRE(told.wait_for("redis: HELLO: WRONGPASS"));
    // One for each connection: writer and reader.
    REQUIRE(eventually([&] { return ann.server.ask({"ACL", "LOG"}).find("count 2 ") == 0; }));
    gossip::test::let_pass(100ms);  // a retry after 1 ms would show
  }
  REQUIRE(ann.server.ask({"ACL", "LOG"}).find("count 2 ") == 0);
  REQUIRE(told.count("letmein") == 0);
  REQUIRE(told.count("sesame") == 0);

  options.fail_fast = true;
  try {
    RedisBus bus{{.workers = 1}, options};
    FAIL("constructed");
  } catch (const gossip::Error& error) {
    REQUIRE(gossip::is_fatal(error));
    REQUIRE(std::string{error.what()}.find("WRONGPASS") != std::string::npos);
  }
}

TEST_CASE("failure: a password is asked for at each connection", "[redis][failure]") {
  WithUser ann{{"~*", "&*", "+@all"}};
  Told told;
  auto options = ann.options();
  std::atomic<int> asked{0};
  options.password = "stale";
  options.credentials = [&] {
    ++asked;
    return std::pair{std::string{"ann"}, gossip::redis::Secret{"sesame"}};
  };
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  REQUIRE(asked >= 1);
}

TEST_CASE("failure: ACL denies publishing: the error names the right", "[redis][failure]") {
  Told told;
  const auto delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  const bool command = GENERATE(true, false);  // or the key or channel
  const bool streams = delivery == Delivery::streams;
  WithUser ann{command ? std::vector<std::string>{"~*", "&*", "+@all", "-xadd", "-publish"}
                       : std::vector<std::string>{"~order.paid", "&order.paid", "+@all"}};
  auto options = ann.options();
  options.delivery = delivery;
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(told.wait_for("publishing order.placed: NOPERM"));
  REQUIRE(told.count(!command ? (streams ? "keys" : "channels") : (streams ? "xadd" : "publish")) ==
          1);
  if (command) return;
  REQUIRE(bus.publish(order_paid, Order{1, "ann"}).ok());  // the other type goes on
  REQUIRE(eventually([&] {
    return ann.server.ask({"INFO", "commandstats"})
               .find(streams ? "cmdstat_xadd:calls=1," : "cmdstat_publish:calls=1,") !=
           std::string::npos;
  }));
  REQUIRE(told.count("unpublished") == 1);
}

TEST_CASE("failure: ACL denies reading a key or channel: the other event types go on",
          "[redis][failure]") {
  Told told;
  WithUser ann{{"~order.paid", "&order.paid", "+@all"}};
  auto options = ann.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  if (options.delivery == Delivery::streams) options.group = "workers";
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  const auto works = bus.subscribe(order_paid, [&](const Order& o) { handled.add(o); });
  try {
    const auto refused = bus.subscribe(order_placed, [](const Order&) {});
    FAIL("subscribed");
  } catch (const gossip::Error& error) {
    INFO(error.what());
    REQUIRE(gossip::is_fatal(error));
    REQUIRE(std::string{error.what()}.find("order.placed: NOPERM") != std::string::npos);
  }
  REQUIRE(bus.publish(order_paid, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
}

TEST_CASE("failure: ACL denies reading a key that was read: the other event types go on",
          "[redis][failure]") {
  Told told;
  WithUser ann{{"~*", "+@all"}};
  auto options = ann.options();
  options.group = GENERATE("", "workers");
  told.listen(options);
  Handled paid;
  Handled placed;
  RedisBus bus{{.workers = 1}, options};
  const auto works = bus.subscribe(order_paid, [&](const Order& o) { paid.add(o); });
  const auto denied = bus.subscribe(order_placed, [&](const Order& o) { placed.add(o); });
  REQUIRE(bus.publish(order_paid, Order{0, "ann"}).ok());
  REQUIRE(bus.publish(order_placed, Order{0, "ann"}).ok());
  REQUIRE(paid.wait_for(1));
  REQUIRE(placed.wait_for(1));
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "resetkeys", "~order.paid"}) == "OK");
  for (int number = 1; number < 10; ++number) {
    REQUIRE(bus.publish(order_paid, Order{number, "ann"}).ok());
    REQUIRE(paid.wait_for(static_cast<std::size_t>(number) + 1));
  }
  REQUIRE(told.wait_for("order.placed: NOPERM"));
  REQUIRE(told.count("order.paid: NOPERM") == 0);
  REQUIRE(told.count("redis: reading: NOPERM") == 0);  // it names the stream
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "resetkeys", "~*"}) == "OK");
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(placed.wait_for(2));
  REQUIRE(told.ready());
}

TEST_CASE("failure: ACL denies a reading command: told once, no storm, works once it is granted",
          "[redis][failure]") {
  Told told;
  WithUser ann{{"~*", "&*", "+@all", "-xreadgroup"}};
  auto options = ann.options();
  options.group = "workers";
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(told.wait_for("redis: reading order.placed: NOPERM"));
  gossip::test::let_pass(300ms);
  REQUIRE(told.count("degraded") == 1);
  const std::string stats = ann.server.ask({"INFO", "commandstats"});
  const std::string entry = "cmdstat_xgroup|create:calls=";
  REQUIRE(stats.find(entry) != std::string::npos);
  // Twenty, and then no more than the longest delay between two allows.
  const auto elapsed = std::chrono::steady_clock::now() - begin;
  REQUIRE(std::stol(stats.substr(stats.find(entry) + entry.size())) < 20 + elapsed / 50ms);
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "+xreadgroup"}) == "OK");
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(handled.wait_for(1));
  REQUIRE(told.ready());
}

TEST_CASE("failure: ACL: a channel that is denied later is listened to once it is granted",
          "[redis][failure]") {
  Told told;
  WithUser ann{{"~*", "&*", "+@all"}};
  auto options = ann.options();
  options.delivery = Delivery::pub_sub;
  options.back_off_initial = options.back_off_cap = 50ms;
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  REQUIRE(told.ready());
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "resetchannels"}) == "OK");  // and cut off
  REQUIRE(told.wait_for("order.placed: NOPERM"));
  REQUIRE(told.wait_for("gap: the connection was lost"));
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "&order.*"}) == "OK");
  REQUIRE(eventually([&] {
    static_cast<void>(bus.publish(order_placed, Order{1, "ann"}));
    return handled.distinct() == 1;
  }));
  REQUIRE(told.ready());
}

TEST_CASE("failure: ACL: no scripting, no admin rights and no CLIENT are needed",
          "[redis][failure]") {
  Told told;
  WithUser ann{{"~order.*", "&order.*", "+@stream", "+publish", "+subscribe", "+unsubscribe",
                "+hello", "+ping"}};
  auto options = ann.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  if (options.delivery == Delivery::streams) options.group = "workers";
  told.listen(options);
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  for (int i = 0; i < 100; ++i) REQUIRE(bus.publish(order_placed, Order{i, "ann"}).ok());
  REQUIRE(handled.wait_for(100));
  REQUIRE(told.count("degraded") == 0);
}

TEST_CASE("failure: ACL: a user that is deleted is told, and comes back", "[redis][failure]") {
  Told told;
  WithUser ann{{"~*", "&*", "+@all"}};
  auto options = ann.options();
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.ready());
  REQUIRE(ann.server.ask({"ACL", "DELUSER", "ann"}) == "1");
  REQUIRE(told.wait_for("WRONGPASS"));
  REQUIRE(ann.server.ask({"ACL", "SETUSER", "ann", "on", ">sesame", "~*", "&*", "+@all"}) == "OK");
  REQUIRE(bus.publish(order_placed, Order{1, "ann"}).ok());
  REQUIRE(eventually([&] { return ann.server.ask({"XLEN", "order.placed"}) == "1"; }));
  REQUIRE(told.ready());
}

TEST_CASE("failure: TLS: the right certificate works", "[redis][failure]") {
  const Secured secured{"good", GENERATE("no", "yes")};
  auto options = secured.options();
  options.delivery = GENERATE(Delivery::streams, Delivery::pub_sub);
  options.tls.certificate = certificates().file("client.pem");
  options.tls.key = certificates().file("client.key");
  options.tls.server_name = GENERATE("", "localhost");
  Handled handled;
  RedisBus bus{{.workers = 1}, options};
  const auto subscription = bus.subscribe(order_placed, [&](const Order& o) { handled.add(o); });
  for (int i = 0; i < 200; ++i) {
    REQUIRE(bus.publish(order_placed, Order{i, std::string(1000, 'a')}).ok());
  }
  REQUIRE(handled.wait_for(200));
}

TEST_CASE(
    "failure: TLS: wrong CA, wrong host and an expired certificate are refused, with the reason",
    "[redis][failure]") {
  struct Case {
    const char* certificate;
    const char* ca;
    const char* name;
    const char* reason;
  };
  const auto is =
      GENERATE(Case{"good", "stranger.pem", "", "self-signed certificate in certificate chain"},
               Case{"elsewhere", "ca.pem", "", "IP address mismatch"},
               Case{"good", "ca.pem", "elsewhere.example", "ostname mismatch"},
               Case{"expired", "ca.pem", "", "certificate has expired"});
  CAPTURE(is.certificate, is.ca, is.name);
  const Secured secured{is.certificate};
  Told told;
  auto options = secured.options();
  options.tls.ca_file = certificates().file(is.ca);
  options.tls.server_name = is.name;
  options.fail_fast = true;
  told.listen(options);
  try {
    RedisBus bus{{.workers = 1}, options};
    FAIL("connected");
  } catch (const gossip::Error& error) {
    INFO(error.what());
    REQUIRE(gossip::is_fatal(error));
    REQUIRE(std::string{error.what()}.find(is.reason) != std::string::npos);
  }
  REQUIRE(told.count("ready") == 0);
  options.tls.verify_peer = false;  // shows that nothing else was wrong
  REQUIRE_NOTHROW(RedisBus{{.workers = 1}, options});
}

TEST_CASE("failure: TLS: a server that wants a certificate of ours, and gets none, says why",
          "[redis][failure]") {
  const Secured secured{"good", "yes"};
  Told told;
  auto options = secured.options();
  told.listen(options);
  RedisBus bus{{.workers = 1}, options};
  REQUIRE(told.wait_for("certificate required"));
  REQUIRE(told.count("ready") == 0);
}

TEST_CASE("failure: TLS: a server without TLS is not spoken to in the clear", "[redis][failure]") {
  RedisServer server;
  auto options = server.options();
  options.tls.enabled = true;
  options.password = "sesame";
  options.fail_fast = true;
  options.connect_timeout = 300ms;  // what nobody answers is given up
  REQUIRE_THROWS_AS((RedisBus{{.workers = 1}, options}), gossip::Error);
  REQUIRE(server.ask({"INFO", "commandstats"}).find("hello") == std::string::npos);
}
