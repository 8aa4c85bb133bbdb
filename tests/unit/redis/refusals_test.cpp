// SPDX-License-Identifier: MIT
#include <gossip/redis/refusals.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

using gossip::Status;
using gossip::redis::Condition;
using gossip::redis::RedisOptions;
using gossip::redis::Refusals;
using gossip::redis::Reply;
using gossip::redis::State;

namespace {

/// Refusals, and what is told of them.
struct Listened {
  Listened() {
    options.on_state = [this](State state, const Status& why) {
      told.push_back(std::string{to_string(state)} + ' ' + std::string{why.what()});
    };
  }

  RedisOptions options;
  std::vector<std::string> told;
  Refusals refusals{std::make_shared<Condition>(options)};
};

}  // namespace

TEST_CASE_METHOD(Listened, "Refusals: each kind is told once, and that all work again", "[redis]") {
  refusals.reads("orders");
  const Reply denied = Reply::of_error("NOPERM no permissions to run the 'xack' command");
  REQUIRE_FALSE(refusals.refused("XACK", "orders", Reply::of_integer(1)));
  REQUIRE(told.empty());
  REQUIRE(refusals.refused("XACK", "orders", denied));
  REQUIRE(refusals.refused("XACK", "orders", denied));
  REQUIRE(told.size() == 1);
  REQUIRE(told[0].find("degraded") == 0);
  REQUIRE(told[0].find("XACK orders: NOPERM no permissions to run the 'xack' command") !=
          std::string::npos);
  REQUIRE(refusals.refused("XADD", "orders.dead", denied));
  REQUIRE(told.size() == 2);
  REQUIRE_FALSE(refusals.refused("XACK", "orders", Reply::of_integer(1)));
  REQUIRE(told.size() == 2);  // XADD is still refused
  REQUIRE_FALSE(refusals.refused("XADD", "orders.dead", Reply::of_text("1-0")));
  REQUIRE(told.size() == 3);
  REQUIRE(told[2].find("ready") == 0);
}

TEST_CASE("Refusals: nobody need listen", "[redis]") {
  const RedisOptions options;
  Refusals refusals{std::make_shared<Condition>(options)};
  refusals.reads("orders");
  REQUIRE(refusals.refused("XACK", "orders", Reply::of_error("NOPERM no")));
  REQUIRE_FALSE(refusals.refused("XACK", "orders", Reply::of_integer(1)));
}

TEST_CASE_METHOD(Listened, "Refusals: each stream is told by itself, as long as it is read",
                 "[redis]") {
  refusals.reads("orders");
  refusals.reads("bills");
  const Reply wrong = Reply::of_error("WRONGTYPE Operation against a key");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(refusals.refused("XADD", "orders.dead", wrong));
    REQUIRE_FALSE(refusals.refused("XADD", "bills.dead", Reply::of_text("1-0")));
  }
  REQUIRE(told.size() == 1);
  REQUIRE(refusals.refused("XACK", "bills", wrong));
  REQUIRE(told.size() == 2);
  REQUIRE(told[1].find("degraded") == 0);
  REQUIRE(told[1].find("XACK bills") != std::string::npos);
  refusals.forget("bills");
  REQUIRE(told.size() == 2);  // the other is still refused
  refusals.forget("orders");
  REQUIRE(told.size() == 3);
  REQUIRE(told[2].find("ready") == 0);
  REQUIRE(refusals.refused("XADD", "orders.dead", wrong));  // the answer comes late
  REQUIRE(told.size() == 3);
}

TEST_CASE("Refusals: of a stream that is forgotten while it is told nothing stays", "[redis]") {
  RedisOptions options;
  std::vector<State> told;
  Refusals* there = nullptr;
  options.on_state = [&](State state, const Status&) {
    told.push_back(state);
    if (state == State::degraded) there->forget("orders");
  };
  Refusals refusals{std::make_shared<Condition>(options)};
  there = &refusals;
  refusals.reads("orders");
  REQUIRE(refusals.refused("XACK", "orders", Reply::of_error("NOPERM no")));
  REQUIRE(told == std::vector{State::degraded, State::ready});
}
