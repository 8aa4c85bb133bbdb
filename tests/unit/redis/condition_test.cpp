// SPDX-License-Identifier: MIT
#include <gossip/core/error.hpp>
#include <gossip/redis/condition.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using gossip::RetryableError;
using gossip::Status;
using gossip::redis::Condition;
using gossip::redis::Part;
using gossip::redis::RedisOptions;
using gossip::redis::State;
using Notes = std::vector<std::string>;

namespace {

struct Fixture {
  Fixture() {
    options.on_state = [this](State state, const Status& why) {
      told.push_back(std::string{to_string(state)} +
                     (why.ok() ? "" : ": " + std::string{why.error()->message()}));
    };
  }
  /// Each connection becomes ready.
  void begin() {
    condition.expect(Part::writer);
    condition.expect(Part::reader);
    for (const State state : {State::connecting, State::ready}) {
      condition.connection(Part::writer, state, {});
      condition.connection(Part::reader, state, {});
    }
  }
  static Status why(const char* text) { return RetryableError{text}; }

  RedisOptions options;
  Notes told;
  Condition condition{options};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Condition: ready is told once every connection is", "[redis]") {
  condition.expect(Part::writer);
  condition.expect(Part::reader);
  condition.connection(Part::writer, State::connecting, {});
  condition.connection(Part::writer, State::ready, {});
  REQUIRE(told == Notes{"connecting"});
  condition.connection(Part::reader, State::connecting, why("full"));
  REQUIRE(told == Notes{"connecting", "connecting: full"});
  condition.connection(Part::reader, State::ready, {});
  REQUIRE(told == Notes{"connecting", "connecting: full", "ready"});
}

TEST_CASE_METHOD(Fixture, "Condition: what each connection reports is told", "[redis]") {
  begin();
  condition.connection(Part::writer, State::connecting, why("gone"));
  condition.connection(Part::reader, State::connecting, why("gone"));
  condition.connection(Part::reader, State::connecting, why("refused"));
  condition.connection(Part::reader, State::ready, {});
  condition.connection(Part::writer, State::ready, {});
  REQUIRE(told == Notes{"connecting", "ready", "connecting: gone", "connecting: gone",
                        "connecting: refused", "ready"});
}

TEST_CASE_METHOD(Fixture, "Condition: it is degraded while anything is refused", "[redis]") {
  begin();
  told.clear();
  condition.works("XACK");  // as ever
  condition.refused("XACK", why("no XACK"));
  condition.refused("XACK", why("no XACK for another"));
  condition.refused("SUBSCRIBE", why("no SUBSCRIBE"));
  condition.works("SUBSCRIBE");
  REQUIRE(told == Notes{"degraded: no XACK", "degraded: no SUBSCRIBE"});
  condition.works("XACK");
  REQUIRE(told.back() == "ready");
}

TEST_CASE_METHOD(Fixture, "Condition: what is refused is not forgotten by a new connection",
                 "[redis]") {
  begin();
  condition.refused("XACK", why("no XACK"));
  condition.connection(Part::writer, State::connecting, why("gone"));
  condition.refused("XADD", why("no XADD"));  // of use once it is connected
  told.clear();
  condition.connection(Part::writer, State::ready, {});
  REQUIRE(told == Notes{"degraded: no XACK"});
}

TEST_CASE_METHOD(Fixture, "Condition: closed is the last that is told, once", "[redis]") {
  begin();
  told.clear();
  condition.connection(Part::reader, State::closed, {});
  condition.connection(Part::writer, State::connecting, why("gone"));
  condition.close();
  condition.close();
  condition.connection(Part::writer, State::ready, {});
  condition.refused("XACK", why("no XACK"));
  REQUIRE(told == Notes{"connecting: gone", "closed"});
}

TEST_CASE("Condition: who comes while it is told leaves his news to the caller", "[redis]") {
  RedisOptions options;
  Notes told;
  gossip::test::Door is_telling;
  gossip::test::Door go_on;
  options.on_state = [&](State state, const Status&) {
    told.emplace_back(to_string(state));  // by one thread alone, as long as the other is in here
    is_telling.open();
    static_cast<void>(go_on.wait());
  };
  Condition condition{options};
  std::thread other{[&] { condition.connection(Part::writer, State::connecting, {}); }};
  REQUIRE(is_telling.wait());
  condition.connection(Part::writer, State::ready, {});
  go_on.open();
  other.join();
  REQUIRE(told == Notes{"connecting", "ready"});
}

TEST_CASE("Condition: closed is not told beside anything else", "[redis]") {
  RedisOptions options;
  Notes told;
  gossip::test::Door is_telling;
  gossip::test::Door is_closed;
  options.on_state = [&](State state, const Status&) {
    if (state == State::closed) return is_closed.open();
    is_telling.open();
    // Time for a mistake; close() waits for this, however long it takes.
    told.emplace_back(is_closed.wait(std::chrono::milliseconds{50}) ? "beside" : to_string(state));
  };
  Condition condition{options};
  std::thread other{[&] { condition.connection(Part::writer, State::connecting, {}); }};
  REQUIRE(is_telling.wait());
  condition.close();
  other.join();
  REQUIRE(told == Notes{"connecting"});
  REQUIRE(is_closed.wait());
}

TEST_CASE("Condition: what is not told when it is closed is not told at all", "[redis]") {
  RedisOptions options;
  Notes told;
  Condition condition{options};
  options.on_state = [&](State state, const Status&) {
    told.emplace_back(to_string(state));
    if (state == State::closed) return;
    condition.connection(Part::writer, State::ready, {});
    condition.close();  // does not wait for the call that it is in
  };
  condition.connection(Part::writer, State::connecting, {});
  REQUIRE(told == Notes{"connecting", "closed"});
}
