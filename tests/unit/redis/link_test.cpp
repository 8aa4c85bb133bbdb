// SPDX-License-Identifier: MIT
#include <gossip/redis/link.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>

using gossip::Errc;
using gossip::Status;
using gossip::SteadyTime;
using gossip::redis::Command;
using gossip::redis::Link;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::State;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::patience;
using namespace std::chrono_literals;

namespace {

/// Sends one command whenever it is told to, and counts what comes of it.
struct Client {
  explicit Client(const RedisOptions& options) : link{options, *this, true} {}

  void on_ready() { ++ready; }
  void on_lost(const Status&) {
    lost_on = std::this_thread::get_id();
    ++lost;
  }
  void on_push(Reply&) {}
  void on_state(State state, const Status&) { last = state; }
  SteadyTime on_turn() {
    if (hold) {
      held = true;
      static_cast<void>(eventually([&] { return !hold.load(); }));
      held = false;
    }
    while (has_question()) {
      --wanted;
      link.send(Command{question}, {&on_reply, this, 7});
    }
    planned = due.load();
    const SteadyTime at{SteadyTime::duration{planned.load()}};
    if (std::chrono::steady_clock::now() < at) return at;
    met = planned.load();
    return SteadyTime::max();
  }
  bool has_work() const { return has_question() || (link.ready() && due.load() != planned.load()); }
  bool has_question() const {
    const auto who = only.load();
    return link.ready() && wanted.load() > 0 &&
           (who == std::thread::id{} || who == std::this_thread::get_id());
  }
  bool drained() const { return link.unanswered() == 0; }

  static void on_reply(void* self, std::uint64_t tag, const Status& gone, Reply& reply) {
    auto& client = *static_cast<Client*>(self);
    if (tag != 7) return;
    client.answered_on = std::this_thread::get_id();
    client.waits = client.waits || !gossip::detail::current_thread.never_waits;
    gone.ok() && reply.text == "PONG" ? ++client.answered : ++client.failed;
  }

  std::string question = "PING";
  std::atomic<int> wanted{0};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::atomic<int> ready{0};
  std::atomic<int> lost{0};
  std::atomic<State> last{State::connecting};
  std::atomic<std::thread::id> answered_on{};
  std::atomic<std::thread::id> lost_on{};
  std::atomic<std::thread::id> only{};      ///< sends, if it is anybody
  std::atomic<bool> hold{false};            ///< on_turn is to wait
  std::atomic<bool> held{false};            ///< it does
  std::atomic<bool> waits{false};           ///< called on a thread that might wait
  std::atomic<SteadyTime::rep> due{0};      ///< when it wants a turn
  std::atomic<SteadyTime::rep> planned{0};  ///< what it was when the last turn answered
  std::atomic<SteadyTime::rep> met{0};      ///< the last such time at or after which it had one
  Link<Client> link;
};

/// A server that plays Redis, and hangs up after `answers` PINGs.
auto hanging_up_after(int answers) {
  return [left = answers](const std::string& asked) mutable -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    return left-- > 0 ? "+PONG\r\n" : "";
  };
}

RedisOptions options_for(const FakeRedis& server) {
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  options.command_timeout = options.health_interval = 1h;  // nothing but what the test does
  return options;
}

}  // namespace

TEST_CASE("Link: what is sent is answered, and a notify gives the client a turn", "[redis]") {
  FakeRedis server{hanging_up_after(1'000)};
  const auto options = options_for(server);
  Client client{options};
  client.link.start();
  REQUIRE(eventually([&] { return client.ready.load() == 1; }));
  for (int i = 1; i <= 100; ++i) {
    ++client.wanted;
    client.link.notify();
    REQUIRE(eventually([&] { return client.answered.load() == i; }));
  }
  client.link.close(std::chrono::steady_clock::now() + patience);
  REQUIRE(client.last.load() == State::closed);
  REQUIRE(client.failed == 0);
}

TEST_CASE("Link: a lost connection is told to whoever waits, and made again", "[redis]") {
  FakeRedis server{hanging_up_after(1)};
  const auto options = options_for(server);
  Client client{options};
  client.link.start();
  client.wanted = 1;
  client.link.notify();
  REQUIRE(eventually([&] { return client.answered.load() == 1; }));
  client.wanted = 1;
  client.link.notify();
  REQUIRE(eventually([&] { return client.ready.load() == 2; }));
  REQUIRE(client.failed == 1);
  REQUIRE(client.lost == 1);
  client.link.close(std::chrono::steady_clock::now() + patience);
}

TEST_CASE("Link: a link that never connected closes at once", "[redis]") {
  RedisOptions options;
  options.unix_socket = "/nonexistent/gossip.socket";
  Client client{options};
  client.link.start();
  const auto before = std::chrono::steady_clock::now();
  client.link.close(before + 1h);
  REQUIRE(std::chrono::steady_clock::now() - before < patience);
  REQUIRE(client.ready == 0);
}

TEST_CASE("Link: a close whose time is up does not wait for answers", "[redis]") {
  FakeRedis server{[](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    return ":";  // the beginning of an answer
  }};
  const auto options = options_for(server);
  Client client{options};
  client.link.start();
  client.wanted = 1;
  client.link.notify();
  REQUIRE(eventually([&] { return client.ready.load() == 1 && client.wanted.load() == 0; }));
  const auto before = std::chrono::steady_clock::now();
  client.link.close(before + 20ms);
  REQUIRE(std::chrono::steady_clock::now() - before < patience);
  REQUIRE(client.failed == 1);
}

TEST_CASE("Link: a thread that waits for an answer does the work itself", "[redis]") {
  FakeRedis server{hanging_up_after(1'000'000)};
  const RedisOptions options = options_for(server);
  Client client{options};
  client.link.start();
  REQUIRE(eventually([&] { return client.ready.load() == 1; }));
  int here = 0;
  int asked = 0;
  const auto ask = [&] {
    client.wanted = 1;
    ++asked;
    client.link.try_turn();
    const auto answered = [&] { return client.answered.load() == asked; };
    client.link.help_until(std::chrono::steady_clock::now() + patience, answered);
    REQUIRE(eventually(answered));
    here += client.answered_on.load() == std::this_thread::get_id() ? 1 : 0;
  };
  // Who takes an answer is a matter of luck: any number of them may be taken by the link.
  REQUIRE(eventually([&] { return ask(), here == 100; }));
  REQUIRE_FALSE(client.waits);
  REQUIRE_FALSE(gossip::detail::current_thread.never_waits);
}

TEST_CASE("Link: when the connection is lost, who helps leaves the rest to the link", "[redis]") {
  FakeRedis server{hanging_up_after(0)};
  const RedisOptions options = options_for(server);
  Client client{options};
  client.link.start();
  REQUIRE(eventually([&] { return client.ready.load() == 1; }));
  const auto told = [&] { return client.failed.load() == 5; };
  client.wanted = 5;
  client.link.try_turn();
  client.link.help_until(std::chrono::steady_clock::now() + patience, told);
  REQUIRE(eventually([&] { return client.lost.load() >= 1 && client.ready.load() >= 2; }));
}

TEST_CASE("Link: help ends at its deadline, and when there is nothing to wait for", "[redis]") {
  FakeRedis server{[](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    return asked.find("SETNAME") != std::string::npos ? "+OK\r\n" : ":";  // half an answer
  }};
  const RedisOptions options = options_for(server);
  Client client{options};
  client.link.start();
  REQUIRE(eventually([&] { return client.ready.load() == 1; }));
  const auto never = [] { return false; };
  client.link.help_until(std::chrono::steady_clock::now() + 1h, never);  // nothing was sent
  client.wanted = 1;
  client.link.help_until(std::chrono::steady_clock::now() + 30ms, never);
  REQUIRE(client.answered == 0);
}

namespace {

/// A server whose one answer to PING waits for the test, and a thread that waits for such an answer.
struct LateAnswer {
  LateAnswer() {
    client.link.start();
    REQUIRE(eventually([&] { return client.ready.load() == 1; }));
    helper = std::thread{[this] {
      client.only = std::this_thread::get_id();
      client.wanted = 1;
      // Once it has sent, no turn of another one comes between that and its waiting.
      while (client.wanted.load() != 0) {
        client.link.help_until(std::chrono::steady_clock::now() + 1h,
                               [&] { return client.answered.load() + client.failed.load() != 0; });
      }
    }};
    REQUIRE(eventually([&] { return asked.load(); }));
  }
  ~LateAnswer() {
    answer = true;
    client.hold = false;
    if (helper.joinable()) helper.join();
  }
  LateAnswer(const LateAnswer&) = delete;
  LateAnswer& operator=(const LateAnswer&) = delete;

  std::atomic<bool> asked{false};
  std::atomic<bool> answer{false};
  FakeRedis server{[this](const std::string& text) -> std::string {
    if (text.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (text.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.exchange(true)) return "";  // a probe, since the answer got lost
    static_cast<void>(eventually([&] { return answer.load(); }));
    return "+PONG\r\n";
  }};
  const RedisOptions options = options_for(server);
  Client client{options};
  std::thread helper;
};

}  // namespace

TEST_CASE("Link: what a helper has read while the link is at work is left to the link", "[redis]") {
  LateAnswer late;
  Client& client = late.client;
  client.hold = true;
  client.link.notify();
  REQUIRE(eventually([&] { return client.held.load(); }));
  late.answer = true;
  late.helper.join();
  REQUIRE(client.answered == 0);
  client.hold = false;
  REQUIRE(eventually([&] { return client.answered.load() == 1; }));
  client.link.close(std::chrono::steady_clock::now() + patience);
  REQUIRE(client.failed == 0);
}

TEST_CASE("Link: an answer that a helper reads while the link closes is not lost", "[redis]") {
  LateAnswer late;
  Client& client = late.client;
  const auto before = std::chrono::steady_clock::now();
  std::thread closer{[&] { client.link.close(before + 2 * patience); }};
  REQUIRE(eventually([&] { return client.link.closing(); }));
  late.answer = true;
  closer.join();
  REQUIRE(std::chrono::steady_clock::now() - before < patience);
  REQUIRE(client.answered == 1);
  REQUIRE(client.failed == 0);
  late.helper.join();
}

TEST_CASE("Link: a close whose time is up does not wait for who helps", "[redis]") {
  LateAnswer late;
  Client& client = late.client;
  client.link.close(std::chrono::steady_clock::now());
  REQUIRE(client.failed == 1);
  late.helper.join();
  REQUIRE(client.last.load() == State::closed);
}

TEST_CASE("Link: a server that is slow to send a long reply is alive", "[redis]") {
  std::atomic<int> probes{0};  // while the reply is on its way
  FakeRedis server{[&, begun = false](const std::string& asked) mutable -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    std::string answer;
    for (const char letter : asked) {
      if (letter == 'E') {  // ECHO
        answer += "$2\r\n";
        begun = true;
      } else if (letter == 'P') {  // PING: one may come before the question
        // A piece of the reply for each, and the answers to all of them behind it.
        const int probe = begun ? ++probes : 0;
        answer += probe == 1 ? "x" : probe == 2 ? "x\r\n+PONG\r\n+PONG\r\n" : "+PONG\r\n";
      }
    }
    return answer;
  }};
  RedisOptions options = options_for(server);
  options.health_interval = 1ms;
  options.command_timeout = 2s;
  Client client{options};
  client.question = "ECHO";
  client.wanted = 1;
  client.link.start();
  REQUIRE(eventually([&] { return client.failed.load() + client.lost.load() != 0; }));
  REQUIRE(client.failed == 1);  // it is no PONG
  REQUIRE(client.lost == 0);
  REQUIRE(probes >= 2);
}

TEST_CASE("Link: a probe whose answer another thread reads is followed by the next one",
          "[redis]") {
  std::atomic<int> probes{0};
  std::atomic<int> answers{0};  // so many may be given
  FakeRedis server{gossip::test::greeting([&](const std::string&) {
    const int probe = ++probes;
    static_cast<void>(eventually([&] { return answers.load() >= probe; }));
    return "+PONG\r\n";
  })};
  RedisOptions options = options_for(server);
  options.health_interval = 1ms;
  Client client{options};
  client.link.start();
  bool followed = true;
  for (int i = 1; i <= 200 && followed; ++i) {
    followed = eventually([&] { return probes.load() >= i; });
    answers = i;  // it comes when both threads wait for it; whoever is first reads it
    client.link.help_until(std::chrono::steady_clock::now() + patience, [] { return true; });
  }
  answers = std::numeric_limits<int>::max();
  REQUIRE(followed);
}

TEST_CASE("Link: a turn that is wanted on another thread comes, too", "[redis]") {
  FakeRedis server{hanging_up_after(1'000'000)};
  const RedisOptions options = options_for(server);
  Client client{options};
  client.link.start();
  REQUIRE(eventually([&] { return client.ready.load() == 1; }));
  for (int i = 0; i < 20; ++i) {  // some of these turns are the link's
    client.due = (std::chrono::steady_clock::now() + 1ms).time_since_epoch().count();
    client.link.try_turn();
    REQUIRE(eventually([&] { return client.met.load() == client.due.load(); }));
  }
}

TEST_CASE("Link: a server that becomes a replica while another thread reads is left by the link",
          "[redis]") {
  // Master and slave are of no equal length.
  std::string replica = gossip::test::hello_reply;
  replica.replace(replica.find("$6\r\nmaster"), 10, "$5\r\nslave");
  for (int round = 0; round < 20; ++round) {
    int greeted = 0;
    std::atomic<bool> asked{false};
    FakeRedis server{[&](const std::string& text) -> std::string {
      if (text.find("SETNAME") != std::string::npos) return "+OK\r\n";
      const bool probed = text.find("HELLO") != std::string::npos;
      if (probed && greeted < server.connections()) return ++greeted, gossip::test::hello_reply;
      if (text.find("PING") == std::string::npos) {
        return asked && greeted == 1 ? "NG\r\n" + replica : gossip::test::hello_reply;
      }
      asked = true;  // half an answer; the rest comes with that to the next probe
      if (!probed) return "+PO";
      return text.find("PING") < text.find("HELLO")
                 ? "+PONG\r\n" + replica
                 : std::string{gossip::test::hello_reply} + "+PO";
    }};
    RedisOptions options = options_for(server);
    options.delivery = gossip::redis::Delivery::pub_sub;
    options.health_interval = 1ms;
    Client client{options};
    client.link.start();
    REQUIRE(eventually([&] { return client.ready.load() == 1; }));
    client.wanted = 1;
    REQUIRE(eventually([&] {
      client.link.help_until(std::chrono::steady_clock::now() + patience,
                             [&] { return client.answered.load() == 1; });
      return client.answered.load() == 1;
    }));
    REQUIRE(eventually([&] { return client.ready.load() == 2; }));
    REQUIRE(client.lost == 1);
    REQUIRE(client.lost_on.load() != std::this_thread::get_id());
    REQUIRE(client.failed == 0);
    client.link.close(std::chrono::steady_clock::now());
  }
}
