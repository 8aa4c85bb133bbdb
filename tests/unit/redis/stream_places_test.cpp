// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_places.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <new>
#include <string>
#include <utility>

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
  std::string begun;
  const auto add = [&](const Subscribed& stream) { begun += stream.type; };
  const auto note = [&](const Subscribed& stream) { ended += stream.type; };
  REQUIRE_FALSE(places.has_changes());
  const auto first = place_of("a");
  places.add(first);
  places.add(place_of("b", true));
  REQUIRE(places.all().empty());
  REQUIRE(places.has_changes());
  places.take_changes(add, note);
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
  places.take_changes(add, note);
  REQUIRE(begun == "ab");
  REQUIRE(ended == "a");
  REQUIRE(first->ended);
  REQUIRE(places.all().size() == 1);
  REQUIRE_FALSE(places.has_fresh());
}

TEST_CASE("StreamPlaces: one that is to be read by itself is, before all others", "[redis]") {
  StreamPlaces places;
  const auto suspect = place_of("b", true);
  places.add(place_of("a", true));
  places.add(suspect);
  places.add(place_of("c", true));
  places.add(place_of("d"));
  places.take_changes([](const Subscribed&) {}, [](const Subscribed&) {});
  REQUIRE(places.next_to_read().size() == 3);
  suspect->alone = true;
  REQUIRE(places.next_to_read() == StreamPlaces::Places{suspect});
  suspect->ready = false;
  REQUIRE(places.next_to_read().size() == 2);
}

TEST_CASE("StreamPlaces: what is not taken over for want of memory is by the next call",
          "[redis]") {
  StreamPlaces places;
  std::string told;
  bool fails = true;
  const auto note = [&](const Subscribed& stream) {
    told += stream.type;
    if (std::exchange(fails, !fails)) throw std::bad_alloc{};
  };
  const auto place = place_of("a");
  places.add(place);
  REQUIRE_THROWS_AS(places.take_changes(note, note), std::bad_alloc);
  REQUIRE(places.all().empty());
  places.take_changes(note, note);
  REQUIRE(places.all().size() == 1);
  REQUIRE(places.remove("a", [] { return true; }));
  REQUIRE_THROWS_AS(places.take_changes(note, note), std::bad_alloc);
  REQUIRE_FALSE(place->ended);
  places.take_changes(note, note);
  REQUIRE(place->ended);
  REQUIRE(places.all().empty());
  REQUIRE(told == "aaaa");
}
