// SPDX-License-Identifier: MIT
#include <gossip/core/errc.hpp>
#include <gossip/redis/expected_replies.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>

using gossip::Errc;
using gossip::Status;
using gossip::redis::ExpectedReplies;
using gossip::redis::Reply;
using gossip::redis::ReplyTo;

namespace {

void note(void* context, std::uint64_t tag, const Status& lost, Reply& reply) {
  *static_cast<std::string*>(context) +=
      std::to_string(tag) + (lost.ok() ? "=" + reply.text : " lost") + ";";
}

}  // namespace

TEST_CASE("ExpectedReplies: replies go to those who asked, in order", "[redis]") {
  std::string told;
  ExpectedReplies expected;
  expected.add({&note, &told, 1}, 2);
  expected.add({}, 1);  // nobody wants it
  expected.add({&note, &told, 3}, 1);
  REQUIRE(expected.size() == 4);
  for (const char* text : {"a", "b", "c", "d"}) {
    Reply reply = Reply::of_text(text);
    expected.tell(reply);
  }
  REQUIRE(told == "1=a;1=b;3=d;");
  REQUIRE(expected.empty());
}

TEST_CASE("ExpectedReplies: when none will come, each is told so", "[redis]") {
  std::string told;
  ExpectedReplies expected;
  expected.add({&note, &told, 1}, 3);
  expected.add({}, 2);
  Reply reply = Reply::of_text("a");
  expected.tell(reply);
  while (!expected.empty()) expected.fail_first(Status{Errc::closed});
  REQUIRE(told == "1=a;1 lost;1 lost;");
  REQUIRE(expected.empty());
}

TEST_CASE("ExpectedReplies: who is told that it is lost may ask anew", "[redis]") {
  ExpectedReplies expected;
  expected.add({[](void* context, std::uint64_t, const Status&, Reply&) {
                  static_cast<ExpectedReplies*>(context)->add({}, 1);
                },
                &expected, 0},
               1);
  expected.fail_first(Status{Errc::closed});
  REQUIRE(expected.size() == 1);
}
