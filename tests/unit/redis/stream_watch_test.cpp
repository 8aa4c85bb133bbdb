// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_watch.hpp>

#include "support/fake_redis.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using gossip::SteadyTime;
using gossip::redis::Gap;
using gossip::redis::RedisOptions;
using gossip::redis::Reply;
using gossip::redis::StreamIntake;
using gossip::redis::StreamPlace;
using gossip::redis::StreamReport;
using gossip::redis::StreamStatistics;
using gossip::redis::StreamWatch;
using gossip::redis::Writer;
using gossip::test::eventually;
using gossip::test::FakeRedis;
using namespace std::chrono_literals;

namespace {

std::string text(const std::string& bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
}
/// What XINFO STREAM FULL answers, as far as we look.
std::string stream(int length, const std::string& first, const std::string& last,
                   const std::string& read_to, const std::string& lag, int pending,
                   const std::string& fields = "*0\r\n") {
  std::string bytes = "*8\r\n" + text("length") + ":" + std::to_string(length) + "\r\n";
  bytes += text("last-generated-id") + text(last);
  bytes += text("entries") + "*1\r\n*2\r\n" + text(first) + fields;
  bytes += text("groups") + "*1\r\n*8\r\n" + text("name") + text("workers");
  bytes += text("last-delivered-id") + text(read_to) + text("lag") + lag + "\r\n";
  bytes += text("pel-count") + ":" + std::to_string(pending) + "\r\n";
  return bytes;
}

/// A watch whose server says of a stream what it is told to.
struct Fixture {
  explicit Fixture(std::string group = "workers")
      : server{[this](const std::string& asked) -> std::string {
          if (asked.find("HELLO") != std::string::npos) return gossip::test::hello_reply;
          if (asked.find("SETNAME") != std::string::npos) return "+OK\r\n";
          const std::lock_guard lock{mutex};
          if (asked.find("XINFO") != std::string::npos) ++asked_for;
          return answer;
        }} {
    options.port = server.port();
    options.group = std::move(group);
    options.stream_max_length = 100;
    options.on_lag = [this](const StreamStatistics& of) { warnings.push_back(of); };
    options.on_gap = [this](const Gap& gap) { gaps.push_back(gap); };
    place->last_id = "0";
    writer.start();
  }
  /// Looks once, and hears what the server says.
  void hear(std::string bytes) {
    {
      const std::lock_guard lock{mutex};
      answer = std::move(bytes);
    }
    watch.look(SteadyTime{1h}, {place});
    REQUIRE(eventually([&] { return watch.has_answers(); }));
    watch.take_answers();
  }

  std::mutex mutex;
  std::string answer;
  int asked_for = 0;
  FakeRedis server;
  RedisOptions options;
  std::vector<StreamStatistics> warnings;
  std::vector<Gap> gaps;
  Writer writer{options, true};
  StreamIntake intake{options, writer, [](void*) noexcept {}, nullptr};
  StreamWatch watch{options, writer, intake, [](void*) noexcept {}, nullptr};
  std::shared_ptr<StreamPlace> place =
      std::make_shared<StreamPlace>(StreamPlace::begin(options, {"a.b", "key", {}}));
};

}  // namespace

TEST_CASE("StreamReport: what an old server does not say stays unknown", "[redis]") {
  const Reply reply = Reply::of_array(
      {Reply::of_text("length"), Reply::of_integer(3), Reply::of_text("groups"),
       Reply::of_array({Reply::of_array({Reply::of_text("name"), Reply::of_text("workers"),
                                         Reply::of_text("lag"), Reply::of_nil()})}),
       Reply::of_text("odd")});
  const auto report = StreamReport::of(reply, "workers");
  REQUIRE(report.length == 3);
  REQUIRE_FALSE(report.lag.has_value());
  REQUIRE(report.read_to.empty());
  REQUIRE(StreamReport::of(Reply::of_error("ERR"), "workers").length == 0);
}

TEST_CASE("StreamWatch: it tells lag and pending, and is due each health_interval", "[redis]") {
  Fixture fixture;
  fixture.hear(stream(10, "1-0", "10-0", "4-0", ":6", 2));
  const auto all = fixture.watch.statistics();
  REQUIRE(all.size() == 1);
  REQUIRE(all[0].event_type == "a.b");
  REQUIRE(all[0].length == 10);
  REQUIRE(all[0].lag == 6U);
  REQUIRE(all[0].pending == 2);
  REQUIRE(fixture.watch.due() == SteadyTime{1h} + fixture.options.health_interval);
  fixture.watch.forget("a.b");
  REQUIRE(fixture.watch.statistics().empty());
}

TEST_CASE(
    "StreamWatch: it warns once as the lag nears the limit, and again after it was far from it",
    "[redis]") {
  Fixture fixture;
  fixture.hear(stream(79, "1-0", "79-0", "0-0", ":79", 0));
  REQUIRE(fixture.warnings.empty());
  fixture.hear(stream(80, "1-0", "80-0", "0-0", ":80", 0));
  fixture.hear(stream(90, "1-0", "90-0", "0-0", ":90", 0));
  fixture.hear(stream(90, "1-0", "90-0", "50-0", ":40", 0));
  fixture.hear(stream(100, "1-0", "130-0", "50-0", ":80", 0));
  REQUIRE(fixture.warnings.size() == 1);
  REQUIRE(fixture.warnings[0].lag == 80U);
  fixture.hear(stream(100, "1-0", "130-0", "91-0", ":39", 0));
  fixture.hear(stream(100, "1-0", "180-0", "91-0", ":89", 0));
  REQUIRE(fixture.warnings.size() == 2);
}

TEST_CASE("StreamWatch: what was trimmed unread is reported once, and is no lag", "[redis]") {
  Fixture fixture;
  fixture.hear(stream(4, "7-0", "10-0", "2-0", ":8", 0));  // 3 to 6 are gone
  REQUIRE(fixture.gaps.size() == 1);
  REQUIRE(fixture.gaps[0].known == 4);
  REQUIRE(fixture.gaps[0].event_type == "a.b");
  REQUIRE(fixture.intake.statistics().trimmed == 4);
  REQUIRE(fixture.watch.statistics()[0].lag == 4U);
  fixture.hear(stream(4, "7-0", "10-0", "7-0", ":7", 0));  // as a server counts: 8 to 10 are left
  REQUIRE(fixture.watch.statistics()[0].lag == 3U);
  fixture.hear(stream(1, "10-0", "10-0", "7-0", ":7", 0));  // then 8 and 9 go
  REQUIRE(fixture.gaps.size() == 2);
  REQUIRE(fixture.gaps[1].known == 2);
  fixture.hear(stream(1, "10-0", "10-0", "10-0", ":6", 0));
  REQUIRE(fixture.watch.statistics()[0].lag == 0U);
  fixture.hear(stream(2, "10-0", "11-0", "10-0", ":7", 0));
  REQUIRE(fixture.watch.statistics()[0].lag == 1U);
  REQUIRE(fixture.gaps.size() == 2);
}

TEST_CASE("StreamWatch: without a group the lag is known at the ends of the stream", "[redis]") {
  Fixture fixture{""};
  const std::string bytes = stream(4, "7-0", "10-0", "10-0", ":0", 0);
  fixture.hear(bytes);
  REQUIRE(fixture.watch.statistics()[0].lag == 4U);
  fixture.place->last_id = "8-0";
  fixture.hear(bytes);
  REQUIRE_FALSE(fixture.watch.statistics()[0].lag.has_value());
  fixture.place->last_id = "10-0";
  fixture.hear(bytes);
  REQUIRE(fixture.watch.statistics()[0].lag == 0U);
  REQUIRE(fixture.gaps.empty());
}

TEST_CASE("StreamWatch: where it may not ask it asks no more", "[redis]") {
  Fixture fixture;
  fixture.hear("-NOPERM this user has no permissions to run the 'xinfo|stream' command\r\n");
  REQUIRE(fixture.watch.statistics().empty());
  fixture.watch.look(SteadyTime{2h}, {fixture.place});
  Reply reply;
  REQUIRE(fixture.writer
              .ask_and_wait(gossip::redis::Command{"PING"}, reply,
                            std::chrono::steady_clock::now() + 20s)
              .ok());
  REQUIRE_FALSE(fixture.watch.has_answers());
}

TEST_CASE("StreamWatch: a stream whose oldest entry is too large is looked at less often",
          "[redis]") {
  Fixture fixture;
  const std::string large(4U << 20U, 'x');
  fixture.hear(stream(10, "1-0", "10-0", "4-0", ":6", 2, "*2\r\n" + text("data") + text(large)));
  REQUIRE(fixture.watch.statistics().at(0).length == 10);
  const auto asked_for = [&] {
    const std::lock_guard lock{fixture.mutex};
    return fixture.asked_for;
  };
  REQUIRE(asked_for() == 1);
  for (int i = 0; i < 11; ++i) {
    fixture.watch.look(SteadyTime{1h}, {fixture.place});
    Reply reply;  // when this one has come, no other is open
    const auto deadline = std::chrono::steady_clock::now() + gossip::test::patience;
    REQUIRE(fixture.writer.ask_and_wait({"PING"}, reply, deadline).ok());
  }
  REQUIRE(asked_for() == 1);
  fixture.hear(stream(5, "6-0", "10-0", "6-0", ":4", 2));
  REQUIRE(asked_for() == 2);
  REQUIRE(fixture.watch.statistics().at(0).length == 5);
  fixture.hear(stream(4, "7-0", "10-0", "6-0", ":4", 2));
  REQUIRE(asked_for() == 3);
}
