// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_places.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

using gossip::redis::RedisOptions;
using gossip::redis::StreamPlace;
using gossip::redis::StreamPlaces;
using gossip::redis::Subscribed;

namespace {

std::shared_ptr<StreamPlace> place_of(const char* type, bool ready = false) {
  auto place =
      std::make_shared<StreamPlace>(StreamPlace::begin(RedisOptions{}, Subscribed{type, type, {}}));
  place->ready = ready;
  return place;
}

}  // namespace

TEST_CASE("StreamPlaces: what is wanted is taken over at once, in order", "[redis]") {
  StreamPlaces places;
  std::string ended;
  const auto note = [&](const std::string& type) { ended += type; };
  REQUIRE_FALSE(places.has_changes());
  const auto first = place_of("a");
  places.add(first);
  places.add(place_of("b", true));
  REQUIRE(places.all().empty());
  REQUIRE(places.has_changes());
  places.take_changes(note);
  REQUIRE_FALSE(places.has_changes());
  REQUIRE(places.all().size() == 2);
  REQUIRE(places.readable().size() == 1);
  REQUIRE(places.has_fresh());
  REQUIRE(places.take_fresh().size() == 1);
  REQUIRE_FALSE(places.has_fresh());
  places.add(place_of("a", true));  // it is read already, and goes on
  REQUIRE_FALSE(places.remove("b", [] { return false; }));
  REQUIRE(places.remove("a", [] { return true; }));
  REQUIRE(places.remove("c", [] { return true; }));  // nobody reads that
  places.take_changes(note);
  REQUIRE(ended == "a");
  REQUIRE(first->ended);
  REQUIRE(places.all().size() == 1);
  REQUIRE_FALSE(places.has_fresh());
}
