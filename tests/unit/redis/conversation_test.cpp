// SPDX-License-Identifier: MIT
#include <gossip/redis/conversation.hpp>

#include "support/fake_redis.hpp"
#include "support/loopback.hpp"
#include "support/tls_peer.hpp"
#include "support/wait.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <vector>

using gossip::Status;
using gossip::SteadyTime;
using gossip::redis::Conversation;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::State;
using gossip::test::FakeRedis;
using gossip::test::greeting;
using gossip::test::TlsPeer;
using namespace std::chrono_literals;

namespace {

SteadyTime now() { return std::chrono::steady_clock::now(); }

/// Drives a conversation on the test's own thread.
struct Driver {
  explicit Driver(std::string reply = "+PONG\r\n", std::uint16_t port = 0, bool secured = false)
      : answer{std::move(reply)} {
    options.port = port == 0 ? server.port() : port;
    options.tls.enabled = secured;
    options.tls.verify_peer = false;
    options.maximum_payload = options.read_count = options.max_in_flight = 1;  // a text has 1 MiB
    options.back_off_initial = options.back_off_cap = 1ms;
    talk.start(now());
  }
  void on_ready() { ++ready; }
  void on_lost(const Status& status) noexcept {
    ++lost;
    why = status;
  }
  void on_push(Reply&) { ++pushed; }
  void on_state(State, const Status& trouble) {
    if (!trouble.ok()) troubles += std::string{trouble.what()} + ';';
  }

  static void on_reply(void* self, std::uint64_t tag, const Status& gone, Reply&) {
    auto& driver = *static_cast<Driver*>(self);
    driver.told += std::to_string(tag) + (gone.ok() ? ";" : " lost;");
    if (tag != driver.thrown_by) return;
    driver.thrown_by = 0;
    std::rethrow_exception(driver.thrown);
  }
  void ask(std::uint64_t tag) { talk.send({"PING"}, {&on_reply, this, tag}); }
  /// Until that is so.
  template <class Done>
  [[nodiscard]] bool until(Done&& done) {
    const SteadyTime deadline = now() + gossip::test::patience;
    while (!done()) {
      if (now() > deadline) return false;
      talk.write(now());
      pollfd socket{talk.connection().descriptor(), talk.connection().interest(), 0};
      const bool busy = talk.in_doubt();
      static_cast<void>(::poll(&socket, 1, busy ? 0 : 1));
      if (socket.revents != 0) talk.receive(socket.revents, now());
      talk.settle(now());
    }
    return true;
  }

  const std::string answer;
  FakeRedis server{greeting([this](const std::string&) { return answer; })};
  RedisOptions options;
  std::string told;
  std::string troubles;
  Status why;
  int ready = 0;
  int lost = 0;
  int pushed = 0;
  std::uint64_t thrown_by = 0;
  std::exception_ptr thrown = std::make_exception_ptr(std::bad_alloc{});
  Conversation<Driver> talk{options, *this, true, false, 1};
};

}  // namespace

TEST_CASE("Conversation: what is sent is answered in order", "[redis]") {
  Driver driver;
  REQUIRE(driver.until([&] { return driver.ready == 1; }));
  driver.ask(1);
  driver.ask(2);
  REQUIRE(driver.talk.unanswered() == 2);
  REQUIRE(driver.until([&] { return driver.talk.unanswered() == 0; }));
  REQUIRE(driver.told == "1;2;");
  REQUIRE(driver.talk.traffic().connects == 1);
}

TEST_CASE("Conversation: where memory runs out the connection is dropped, and made again",
          "[redis]") {
  Driver driver;
  REQUIRE(driver.until([&] { return driver.ready == 1; }));
  driver.thrown_by = 1;
  driver.ask(1);
  driver.ask(2);
  REQUIRE(driver.until([&] { return driver.ready == 2; }));
  REQUIRE(driver.told == "1;2 lost;");  // what stands behind it is not taken
  REQUIRE(driver.lost == 1);
  REQUIRE(driver.why.what().find("memory") != std::string::npos);
  driver.ask(3);
  REQUIRE(driver.until([&] { return driver.told == "1;2 lost;3;"; }));
}

TEST_CASE("Conversation: what else is thrown drops the connection, too, and says why", "[redis]") {
  Driver driver;
  REQUIRE(driver.until([&] { return driver.ready == 1; }));
  driver.thrown = std::make_exception_ptr(std::runtime_error{"not foreseen"});
  driver.thrown_by = 1;
  driver.ask(1);
  REQUIRE(driver.until([&] { return driver.ready == 2; }));
  REQUIRE(driver.why.what().find("not foreseen") != std::string::npos);
}

TEST_CASE("Conversation: whoever throws when told that its answer is lost, the others are told",
          "[redis]") {
  Driver driver;
  REQUIRE(driver.until([&] { return driver.ready == 1; }));
  driver.ask(1);
  driver.ask(2);
  driver.ask(3);
  driver.thrown_by = 2;
  driver.talk.give_up(gossip::Errc::retryable);
  driver.talk.settle(now());
  REQUIRE(driver.told == "1 lost;2 lost;3 lost;");
  REQUIRE_FALSE(driver.talk.in_doubt());
  REQUIRE(driver.until([&] { return driver.ready == 2; }));
}

TEST_CASE("Conversation: a server whose answers are no replies is asked less and less often",
          "[redis]") {
  const std::size_t size = std::size_t{2} << 20U;
  for (const std::string& answer : {"$" + std::to_string(size) + "\r\n" + std::string(size, 'x'),
                                    std::string{"what is that?\r\n"}}) {
    Driver driver{answer};
    driver.options.back_off_cap = 1h;
    driver.options.back_off_jitter = 0;
    for (int losses = 1; losses <= 9; ++losses) {
      REQUIRE(driver.until([&] { return driver.ready == losses; }));
      driver.ask(1);
      REQUIRE(driver.until([&] { return driver.lost == losses; }));
    }
    REQUIRE(driver.talk.session().wake_at() - now() > 100ms);  // doubled each time, from 1 ms
  }
}

TEST_CASE("Conversation: what was found wrong with a connection is told, and not its end as well",
          "[redis]") {
  Driver driver{""};  // it closes
  driver.options.back_off_cap = 1h;
  driver.options.back_off_jitter = 0;
  std::string troubles;
  for (int losses = 1; losses <= 9; ++losses) {
    REQUIRE(driver.until([&] { return driver.ready == losses; }));
    driver.ask(1);
    driver.talk.write(now());
    pollfd socket{driver.talk.connection().descriptor(), POLLIN, 0};
    REQUIRE(::poll(&socket, 1, 60'000) == 1);
    driver.talk.give_up(gossip::ValidationError{"role", "a replica"});
    driver.talk.receive(socket.revents, now());
    driver.talk.settle(now());
    troubles += "validation failed: field=role: a replica;";
    REQUIRE(driver.troubles == troubles);
    REQUIRE(driver.lost == losses);
  }
  REQUIRE(driver.talk.session().wake_at() - now() > 100ms);  // doubled each time, from 1 ms
}

namespace {

/// The server's end of one connection without TLS, as TlsPeer is with it.
class PlainPeer {
 public:
  PlainPeer() = default;
  PlainPeer(const PlainPeer&) = delete;
  PlainPeer& operator=(const PlainPeer&) = delete;
  ~PlainPeer() { ::close(socket_); }
  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  void accept() { socket_ = ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC); }
  [[nodiscard]] bool send(const std::string& bytes) const {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
  }
  /// What is there; perhaps nothing.
  [[nodiscard]] std::string receive() const {
    std::string room(std::size_t{1} << 16U, ' ');
    const ssize_t size = ::recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
    room.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return room;
  }

 private:
  gossip::test::LoopbackListener listener_;
  int socket_ = -1;
};

/// The server's end of the one connection of a driver; it reads when it is told to.
template <class Peer>
struct SlowServer {
  SlowServer() {
    bool accepted = false;
    REQUIRE(driver.until([&] {
      if (!std::exchange(accepted, true)) peer.accept();
      const std::string read = receive();
      if (read.find("HELLO") != std::string::npos) answer(gossip::test::hello_reply);
      if (read.find("SETNAME") != std::string::npos) answer("+OK\r\n");
      return driver.ready == 1;
    }));
  }
  void answer(const std::string& bytes) { REQUIRE(peer.send(bytes)); }
  /// What is there; perhaps nothing.
  [[nodiscard]] std::string receive() { return peer.receive(); }
  /// Sends something that is more than the system buffers, and then a probe.
  /// @return  when its deadline is
  SteadyTime upload() {
    driver.talk.send({"ECHO", std::string(std::size_t{32} << 20U, 'x')},
                     {&Driver::on_reply, &driver, 1});
    std::uint64_t sent = 0;
    do {
      sent = driver.talk.traffic().sent;
      driver.talk.write(now());
    } while (driver.talk.traffic().sent != sent);
    const SteadyTime probed = driver.talk.session().wake_at();
    driver.talk.settle(probed);
    REQUIRE(driver.talk.unanswered() == 2);
    return driver.talk.session().wake_at();
  }

  Peer peer;
  Driver driver{"", peer.port(), std::is_same_v<Peer, TlsPeer>};
};

}  // namespace

TEMPLATE_TEST_CASE("Conversation: while a large command leaves, the probe behind it has time",
                   "[redis]", PlainPeer, TlsPeer) {
  SlowServer<TestType> server;
  Driver& driver = server.driver;
  SteadyTime deadline = server.upload();
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t before = driver.talk.traffic().sent;
    REQUIRE(gossip::test::eventually([&] {
      static_cast<void>(server.receive());
      driver.talk.write(now());
      return driver.talk.traffic().sent > before + (std::size_t{1} << 20U);
    }));
    driver.talk.settle(deadline);
    REQUIRE(driver.lost == 0);
    REQUIRE(driver.talk.session().wake_at() == deadline + driver.options.command_timeout);
    deadline = driver.talk.session().wake_at();
  }
  // It reads no more: what has left by now counts once, or what is on its way yet.
  REQUIRE(gossip::test::eventually([&] {
    driver.talk.write(now());
    driver.talk.settle(driver.talk.session().wake_at());
    return driver.lost == 1;
  }));
  REQUIRE(driver.why.what().find("does not answer") != std::string::npos);
}

TEMPLATE_TEST_CASE("Conversation: what is sent behind a probe gives it no time", "[redis]",
                   PlainPeer, TlsPeer) {
  SlowServer<TestType> server;
  Driver& driver = server.driver;
  driver.talk.settle(driver.talk.session().wake_at());
  REQUIRE(driver.talk.unanswered() == 1);
  driver.ask(1);
  driver.talk.write(now());
  REQUIRE(gossip::test::eventually([&] { return server.receive().empty(); }));
  driver.talk.settle(driver.talk.session().wake_at());
  REQUIRE(driver.lost == 1);
}
