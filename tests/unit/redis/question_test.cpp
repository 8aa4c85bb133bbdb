// SPDX-License-Identifier: MIT
#include <gossip/redis/question.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::Status;
using gossip::redis::Reply;

TEST_CASE("OnAnswer: is told of the reply, or of why there is none", "[redis]") {
  int answered = 0;
  const gossip::redis::OnAnswer on_answer = [&](const Status& lost, Reply& reply) {
    answered += lost.ok() ? static_cast<int>(reply.integer) : 100;
  };
  Reply reply = Reply::of_integer(7);
  on_answer(Status{}, reply);
  on_answer(gossip::Errc::closed, reply);
  REQUIRE(answered == 107);
}
