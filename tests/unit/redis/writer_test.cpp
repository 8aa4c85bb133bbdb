// SPDX-License-Identifier: MIT
#include <gossip/redis/writer.hpp>

#include "support/fake_redis.hpp"
#include "support/redis_server.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using gossip::Errc;
using gossip::Status;
using gossip::redis::AtTheEnd;
using gossip::redis::Command;
using gossip::redis::EncodedEvent;
using gossip::redis::Part;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::State;
using gossip::redis::Writer;
using gossip::redis::WriterOverflow;
using gossip::test::Door;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using gossip::test::RedisServer;
using namespace std::chrono_literals;

namespace {

/// @param key  a literal
EncodedEvent event(std::string_view key, int number) {
  EncodedEvent encoded{{}, {key, gossip::EventId{1, static_cast<std::uint64_t>(number)}}};
  Command{"XADD", key, "*", "n"}.add(std::int64_t{number}).append_to(encoded.wire);
  return encoded;
}
auto soon() { return std::chrono::steady_clock::now() + gossip::test::patience; }

}  // namespace

TEST_CASE("Writer: events of many threads arrive, each once", "[redis]") {
  RedisServer server;
  auto options = server.options();
  options.writer_capacity = 64;  // so that publishers wait
  options.pipeline = 16;
  Writer writer{options, true};
  writer.start();
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        if (!writer.publish(event("s", t * 1000 + i)).ok()) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(refused == 0);
  REQUIRE(server.ask({"XLEN", "s"}) == "2000");
  const auto statistics = writer.statistics();
  REQUIRE(statistics.accepted == 2000);
  REQUIRE(statistics.published == 2000);
  REQUIRE(statistics.waiting == 0);
}

TEST_CASE("Writer: what it has no room for is refused where that was chosen", "[redis]") {
  RedisOptions options;
  options.port = gossip::test::free_port();
  options.writer_capacity = 2;
  options.writer_overflow = WriterOverflow::reject;
  int failed = 0;
  options.on_publish_error = [&](std::string_view, std::string_view, const Status&) { ++failed; };
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.publish(event("s", 1)).ok());
  REQUIRE(writer.publish(event("s", 2)).ok());
  REQUIRE(writer.publish(event("s", 3)) == Errc::queue_full);
  REQUIRE(writer.flush(std::chrono::steady_clock::now() + 1ms) == Errc::timeout);
  writer.close(std::chrono::steady_clock::now());
  REQUIRE(failed == 2);
  REQUIRE(writer.statistics().failed == 2);
  REQUIRE(writer.statistics().rejected == 1);
  REQUIRE(writer.publish(event("s", 4)) == Errc::closed);
}

TEST_CASE("Writer: an event that the server refuses is reported with its type and id", "[redis]") {
  RedisServer server;
  REQUIRE(server.ask({"SET", "s", "text"}) == "OK");
  auto options = server.options();
  std::string reported;
  options.on_publish_error = [&](std::string_view type, std::string_view id, const Status& why) {
    reported = std::string{type} + " " + std::string{id} + " " + std::string{why.what()};
  };
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.publish(event("s", 7)).ok());
  REQUIRE(writer.publish(event("t", 8)).ok());
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(reported.find("s " + to_string(gossip::EventId{1, 7}) + " ") == 0);
  REQUIRE(reported.find("WRONGTYPE") != std::string::npos);
  REQUIRE(writer.statistics().published == 1);
  REQUIRE(writer.statistics().failed == 1);
}

TEST_CASE("Writer: what was not answered goes out again where that can be told", "[redis]") {
  RedisServer server;
  auto options = server.options();
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.publish(event("s", 1)).ok());
  REQUIRE(writer.flush(soon()).ok());
  server.pause();
  for (int i = 2; i <= 100; ++i) REQUIRE(writer.publish(event("s", i)).ok());
  server.restart();
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(server.ask({"XLEN", "s"}) == "99");
  REQUIRE(writer.statistics().failed == 0);
  REQUIRE(writer.statistics().reconnects == 1);
}

TEST_CASE("Writer: a question is answered, or its failure told", "[redis]") {
  RedisServer server;
  const auto options = server.options();
  Writer writer{options, true};
  writer.start();
  Reply reply;
  REQUIRE(writer.ask_and_wait(Command{"ECHO", "hello"}, reply, soon()).ok());
  REQUIRE(reply.text == "hello");
  REQUIRE(writer.ask_and_wait(Command{"BLPOP", "none", "0"}, reply,
                              std::chrono::steady_clock::now() + 1ms) == Errc::timeout);
  writer.close(std::chrono::steady_clock::now());
  Status lost;
  writer.ask(Command{"PING"}, [&](const Status& why, Reply&) { lost = why; });
  REQUIRE(lost == Errc::closed);
}

TEST_CASE("Writer: the end waits for the answers that matter, and for no others", "[redis]") {
  const auto at_the_end = GENERATE(AtTheEnd::dropped, AtTheEnd::sent);
  Door may_answer;
  Door is_asked;
  gossip::test::FakeRedis server{gossip::test::greeting([&](const std::string&) -> std::string {
    is_asked.open();
    static_cast<void>(may_answer.wait());
    return "+OK\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  Writer writer{options, true};
  writer.start();
  Status outcome = Errc::cancelled;
  writer.ask(
      Command{"ECHO", "hello"}, [&](const Status& lost, Reply&) { outcome = lost; }, at_the_end);
  REQUIRE(is_asked.wait());
  const bool matters = at_the_end == AtTheEnd::sent;
  const auto begin = std::chrono::steady_clock::now();
  const auto deadline = begin + (matters ? 100ms : gossip::test::patience);
  writer.close(deadline);
  const bool waited = std::chrono::steady_clock::now() >= deadline;
  may_answer.open();
  REQUIRE(waited == matters);
  REQUIRE(outcome == Errc::closed);
}

TEST_CASE("Writer: the whole is not ready before it is, though it has told nothing yet",
          "[redis]") {
  int ready = 0;
  RedisOptions options;
  options.on_state = [&](State state, const Status&) { ready += state == State::ready ? 1 : 0; };
  Writer writer{options, true};
  writer.condition()->connection(Part::reader, State::ready, Status{});
  REQUIRE(ready == 0);
  writer.condition()->connection(Part::writer, State::ready, Status{});
  REQUIRE(ready == 1);
}

TEST_CASE("Writer: what is for one of its connections is not sent on another", "[redis]") {
  std::atomic<int> unblocked{0};
  gossip::test::FakeRedis server{gossip::test::greeting([&](const std::string& asked) {
    if (asked.find("UNBLOCK") != std::string::npos) ++unblocked;
    return std::string{asked.find("QUIT") != std::string::npos ? "" : "+OK\r\n"};
  })};
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  Writer writer{options, true};
  const Command unblock{"CLIENT", "UNBLOCK", "7"};
  writer.ask_now(1, unblock);  // there is none yet
  REQUIRE(writer.connection() == 0);
  writer.start();
  Reply reply;
  REQUIRE(writer.ask_and_wait({"PING"}, reply, soon()).ok());
  REQUIRE(writer.connection() == 1);
  REQUIRE(unblocked == 0);
  writer.ask_now(1, unblock);
  REQUIRE(writer.ask_and_wait({"PING"}, reply, soon()).ok());
  REQUIRE(unblocked == 1);
  writer.ask({"QUIT"}, [&](const Status&, Reply&) { writer.ask_now(1, unblock); });  // too late
  REQUIRE(eventually([&] { return writer.connection() == 2; }));
  writer.ask_now(1, unblock);
  REQUIRE(writer.ask_and_wait({"PING"}, reply, soon()).ok());
  REQUIRE(unblocked == 1);
}

TEST_CASE("Writer: where a repetition cannot be told, the unknown outcome is reported", "[redis]") {
  gossip::test::FakeRedis server{[](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    return "";  // hangs up
  }};
  RedisOptions options;
  options.port = server.port();
  std::atomic<int> unknown{0};
  options.on_publish_error = [&](std::string_view, std::string_view, const Status& why) {
    if (gossip::is_retryable(why)) ++unknown;
  };
  Writer writer{options, false};
  writer.start();
  REQUIRE(writer.publish(event("s", 1)).ok());
  REQUIRE(eventually([&] { return unknown.load() == 1; }));
  writer.close(std::chrono::steady_clock::now());
  REQUIRE(writer.statistics().sent_again == 0);
}

TEST_CASE("Writer: connections that do not live long enough for all of the pipeline make progress",
          "[redis]") {
  gossip::test::FakeRedis server{[](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.find("XADD") == std::string::npos) return "+PONG\r\n";
    std::string answers;
    for (auto at = asked.find("XADD"); at != std::string::npos; at = asked.find("XADD", at + 1)) {
      answers += "$3\r\n1-1\r\n";
    }
    return answers.size() > 8 * 9 ? "" : answers;  // hangs up, having answered nothing
  }};
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  options.back_off_cap = 1ms;
  Writer writer{options, true};
  for (int i = 0; i < 300; ++i) REQUIRE(writer.publish(event("s", i)).ok());
  writer.start();
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(writer.statistics().published == 300);
  REQUIRE(writer.statistics().sent_again > 0);
}

TEST_CASE("Writer: a server that is still loading its data is waited for", "[redis]") {
  std::atomic<int> asked_to_publish{0};
  gossip::test::FakeRedis server{[&](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    if (asked.find("XADD") == std::string::npos) return "+PONG\r\n";
    return ++asked_to_publish < 4 ? "-LOADING Redis is loading the dataset in memory\r\n"
                                  : "$3\r\n1-1\r\n";
  }};
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.publish(event("s", 1)).ok());
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(writer.statistics().published == 1);
  REQUIRE(writer.statistics().failed == 0);
  REQUIRE(asked_to_publish == 4);
}

TEST_CASE("Writer: what stands behind an event that is kept is sent again with it", "[redis]") {
  std::atomic<int> refused{0};
  std::atomic<int> taken{0};
  gossip::test::FakeRedis server{[&](const std::string& asked) -> std::string {
    if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
    if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
    std::string answer;
    for (auto at = asked.find("XADD"); at != std::string::npos; at = asked.find("XADD", at + 1)) {
      const bool first = refused.exchange(1) == 0;
      if (!first && server.connections() > 1) ++taken;
      answer +=
          first ? "-READONLY You can't write against a read only replica.\r\n" : "$3\r\n1-1\r\n";
    }
    return answer.empty() ? "+PONG\r\n" : answer;
  }};
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  Writer writer{options, true};
  for (int i = 1; i <= 3; ++i) REQUIRE(writer.publish(event("s", i)).ok());
  writer.start();  // sends all three in one go
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(writer.statistics().published == 3);
  REQUIRE(taken == 3);
}

TEST_CASE("Writer: a server that has become a replica is left when it is asked to write, too",
          "[redis]") {
  gossip::test::FakeRedis server{gossip::test::greeting([](const std::string&) -> std::string {
    return "-READONLY You can't write against a read only replica.\r\n";
  })};
  RedisOptions options;
  options.port = server.port();
  options.back_off_initial = 1ms;
  Writer writer{options, true};
  writer.start();
  Reply reply;
  const Status lost = writer.ask_and_wait({"XACK", "s", "workers", "1-1"}, reply, soon());
  REQUIRE(gossip::is_retryable(lost));
  REQUIRE(lost.what().find("READONLY") != std::string::npos);
  REQUIRE(eventually([&] { return writer.statistics().reconnects == 1; }));
}

TEST_CASE("Writer: flushes that help, publishers that do not, connections that break", "[redis]") {
  RedisServer server;
  const auto options = server.options();
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.wait_until_connected(soon()).ok());
  std::atomic<int> refused{0};
  std::atomic<int> at_work{4};
  std::atomic<int> cuts{0};
  std::atomic<std::uint64_t> accepted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      // As many as it takes: the thread that cuts may have to wait for a processor.
      for (int i = 0; i < 1500 || (cuts < 4 && i < 100'000); ++i) {
        if (writer.publish(event("s", t * 100'000 + i)).ok()) {
          ++accepted;
        } else {
          ++refused;
        }
        if (t < 2 && !writer.flush(soon()).ok()) ++refused;
      }
      --at_work;
    });
  }
  while (at_work != 0) {
    if (writer.statistics().published > static_cast<std::uint64_t>(cuts.load()) * 500) {
      ++cuts;
      static_cast<void>(server.ask({"CLIENT", "KILL", "TYPE", "normal"}));
    }
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(writer.flush(soon()).ok());
  REQUIRE(refused == 0);
  REQUIRE(cuts > 3);
  const auto statistics = writer.statistics();
  REQUIRE(statistics.published == accepted);
  REQUIRE(statistics.failed == 0);
  REQUIRE(std::stoul(server.ask({"XLEN", "s"})) >= accepted);
}

TEST_CASE("Writer: the answers that a flush has left are read by the writer's thread", "[redis]") {
  RedisServer server;
  const auto options = server.options();
  Writer writer{options, true};
  writer.start();
  REQUIRE(writer.wait_until_connected(soon()).ok());
  for (int i = 0; i < 50; ++i) {
    REQUIRE(writer.publish(event("s", 2 * i)).ok());
    REQUIRE(writer.flush(soon()).ok());  // the writer's thread leaves the reading to it for a while
    for (int n = 0; n < 3; ++n) REQUIRE(writer.publish(event("s", 2 * i + 1)).ok());
    REQUIRE(eventually([&] { return writer.statistics().waiting == 0; }));
  }
  REQUIRE(writer.statistics().published == 200);
}

TEST_CASE("Writer: who waits for the connection does not outlive the end", "[redis]") {
  gossip::test::Door leave;
  const FakeRedis server{[&](const std::string&) {  // says nothing, and does not hang up
    static_cast<void>(leave.wait());
    return std::string{};
  }};
  RedisOptions options;
  options.port = server.port();
  options.connect_timeout = options.command_timeout = 1h;
  Writer writer{options, true};
  writer.start();
  Status outcome;
  std::thread waiting{[&] { outcome = writer.wait_until_connected(soon()); }};
  writer.close(std::chrono::steady_clock::now());
  waiting.join();
  leave.open();
  REQUIRE(outcome == Errc::closed);
}
