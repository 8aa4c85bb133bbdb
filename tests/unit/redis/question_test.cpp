// SPDX-License-Identifier: MIT
#include <gossip/redis/question.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>

using gossip::Errc;
using gossip::Status;
using gossip::redis::AtTheEnd;
using gossip::redis::AwaitedAnswer;
using gossip::redis::Question;
using gossip::redis::Questions;
using gossip::redis::Reply;

namespace {

Question question(const char* name, AtTheEnd at_the_end = AtTheEnd::dropped,
                  bool now_or_never = false) {
  return {{name}, [](const Status&, Reply&) {}, at_the_end, now_or_never};
}

}  // namespace

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

TEST_CASE("Questions: are sent, and answered, in order", "[redis]") {
  Questions questions;
  REQUIRE(questions.empty());
  questions.add(question("XPENDING"));
  questions.add(question("XINFO"));
  REQUIRE(questions.front().name() == "XPENDING");
  questions.sent();
  REQUIRE(questions.front().name() == "XINFO");
  questions.sent();
  REQUIRE(questions.empty());
  REQUIRE(questions.answered().front().command.name() == "XPENDING");
  REQUIRE(questions.answered().front().command.name() == "XINFO");
}

TEST_CASE("Questions: one whose answer matters is owed until it has come", "[redis]") {
  Questions questions;
  questions.add(question("XINFO"));
  REQUIRE_FALSE(questions.owes());
  questions.add(question("XACK", AtTheEnd::sent));
  REQUIRE(questions.owes());
  questions.sent();
  questions.sent();
  static_cast<void>(questions.answered());
  REQUIRE(questions.owes());
  static_cast<void>(questions.answered());
  REQUIRE_FALSE(questions.owes());
}

TEST_CASE("Questions: what was for a lost connection is not sent on the next one", "[redis]") {
  Questions questions;
  questions.add(question("XACK", AtTheEnd::sent));
  questions.add(question("CLIENT", AtTheEnd::dropped, true));
  questions.add(question("XINFO"));
  questions.drop_outdated();
  REQUIRE(questions.owes());
  const Questions::List left = questions.take_unsent();
  REQUIRE(questions.empty());
  REQUIRE(left.size() == 2);
  REQUIRE(left.front().command.name() == "XACK");
  REQUIRE(left.back().command.name() == "XINFO");
}

TEST_CASE("AwaitedAnswer: is waited for, up to the deadline", "[redis]") {
  AwaitedAnswer answer;
  const auto take = answer.taker();
  Reply reply;
  REQUIRE(answer.wait(reply, std::chrono::steady_clock::now()) == Errc::timeout);
  Reply got = Reply::of_text("hello");
  take(Status{}, got);
  REQUIRE(answer.wait(reply, std::chrono::steady_clock::now()).ok());
  REQUIRE(reply.text == "hello");
}
