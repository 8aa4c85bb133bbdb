// SPDX-License-Identifier: MIT
#include <gossip/redis/channel.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::Errc;
using gossip::Status;
using gossip::redis::Channel;

namespace {

/// One that somebody listens to.
Channel listened_to() {
  Channel channel;
  channel.wanted = channel.relied_on = channel.confirmed = true;
  return channel;
}
/// It is asked, and answers.
bool ask(Channel& channel, bool subscribes, const Status& why = {}) {
  ++channel.unanswered;
  return channel.answered(subscribes && why.ok(), why);
}

}  // namespace

TEST_CASE("Channel: is over once nobody wants it, waits for it, or listens to it", "[redis]") {
  REQUIRE(Channel{}.is_over());
  Channel channel = listened_to();
  REQUIRE_FALSE(channel.is_over());
  channel.wanted = false;
  REQUIRE_FALSE(channel.is_over());
  channel.ending = 1;
  REQUIRE_FALSE(ask(channel, false));
  REQUIRE_FALSE(channel.is_over());  // who ends it looks at it still
  channel.ending = 0;
  REQUIRE(channel.is_over());
  channel.beginning = 1;
  REQUIRE_FALSE(channel.is_over());
  channel.beginning = 0;
  channel.changed = true;
  REQUIRE_FALSE(channel.is_over());
}

TEST_CASE("Channel: what the server refuses leaves it as it was, and is told once", "[redis]") {
  Channel channel = listened_to();
  REQUIRE(ask(channel, false, Errc::fatal));
  REQUIRE(channel.confirmed);
  REQUIRE_FALSE(ask(channel, false, Errc::fatal));
  REQUIRE(channel.is_refused());
  REQUIRE(ask(channel, true));
  REQUIRE_FALSE(channel.is_refused());
  REQUIRE(channel.missed);  // it was not listened to for a while, as far as we know
}

TEST_CASE("Channel: who subscribes is told by its answer alone that he is refused", "[redis]") {
  Channel channel;
  channel.wanted = true;
  channel.beginning = 1;
  REQUIRE_FALSE(ask(channel, true, Errc::fatal));
  channel.relied_on = true;  // somebody else has been told that he is subscribed
  REQUIRE(ask(channel, true, Errc::fatal));
}

TEST_CASE("Channel: when the connection is lost, who listens has missed something", "[redis]") {
  Channel channel = listened_to();
  channel.unanswered = 1;
  channel.lost();
  REQUIRE(channel.missed);
  REQUIRE(channel.settled());
  REQUIRE_FALSE(channel.confirmed);
  Channel unwanted;
  unwanted.lost();
  REQUIRE_FALSE(unwanted.missed);
}
