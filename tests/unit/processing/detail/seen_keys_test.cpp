// SPDX-License-Identifier: MIT
#include <gossip/processing/detail/seen_keys.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <random>
#include <string>

namespace {

using gossip::EventId;
using gossip::SteadyTime;
using gossip::detail::SeenKey;
using gossip::detail::SeenKeys;
using std::chrono::seconds;

enum class Colour : std::int8_t { red = -1, green = 1 };

TEST_CASE("SeenKey: keys are equal if their values are", "[deduplicate]") {
  CHECK(SeenKey{5} == SeenKey{std::uint64_t{5}});
  CHECK_FALSE(SeenKey{5} == SeenKey{6});
  CHECK(SeenKey{"a"} == SeenKey{std::string{"a"}});
  CHECK_FALSE(SeenKey{"a"} == SeenKey{"b"});
  CHECK(SeenKey{EventId{1, 2}} == SeenKey{EventId{1, 2}});
  CHECK_FALSE(SeenKey{EventId{1, 2}} == SeenKey{EventId{2, 2}});
  CHECK_FALSE(SeenKey{EventId{1, 2}} == SeenKey{EventId{1, 3}});
  CHECK_FALSE(SeenKey{Colour::red} == SeenKey{Colour::green});
  CHECK(SeenKey{EventId{1, 2}}.hash() == SeenKey{EventId{1, 2}}.hash());
  CHECK(SeenKey{EventId{1, 2}}.hash() != SeenKey{EventId{2, 1}}.hash());
}

/// What SeenKeys should do, written plainly: a list that is searched.
struct Model {
  struct Entry {
    int key;
    SteadyTime entered;
    std::uint64_t ticket;
    bool finished;
  };
  std::size_t capacity;
  seconds window;
  std::deque<Entry> entries{};
  std::uint64_t next = 1;

  SeenKeys::Found enter(int key, SteadyTime now, bool again) {
    while (!entries.empty() && now - entries.front().entered >= window) entries.pop_front();
    for (const Entry& entry : entries) {
      if (entry.key != key) continue;
      if (again) return SeenKeys::Found::nothing;
      return entry.finished ? SeenKeys::Found::finished : SeenKeys::Found::unfinished;
    }
    if (entries.size() == capacity) entries.pop_front();
    entries.push_back({key, now, next++, false});
    return SeenKeys::Found::nothing;
  }
  auto at(std::uint64_t ticket) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const Entry& e) { return e.ticket == ticket; });
  }
};

TEST_CASE("SeenKeys: does what a plain list does, over a long random history", "[deduplicate]") {
  std::mt19937 random{20240229};
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  for (const std::size_t capacity : {1U, 2U, 7U, 16U}) {
    SeenKeys keys{capacity, seconds{20}};
    Model model{capacity, seconds{20}};
    SteadyTime now{seconds{1000}};
    std::deque<SeenKeys::Place> places;
    for (int step = 0; step < 20'000; ++step) {
      if (below(4) == 0) now += seconds{below(8)};
      const unsigned what = below(4);
      if (what < 2 || places.empty()) {
        const int key = static_cast<int>(below(24));
        const bool again = below(8) == 0;
        const auto place = keys.enter(SeenKey{key}, now, again);
        if (place.found != model.enter(key, now, again)) FAIL("step " << step);
        if (place.found == SeenKeys::Found::nothing) places.push_back(place);
      } else {
        const std::size_t i = below(static_cast<unsigned>(places.size()));
        const auto place = places[i];
        places.erase(places.begin() + static_cast<std::ptrdiff_t>(i));
        const auto entry = model.at(place.ticket);
        if (what == 2) {
          keys.finish(place);
          if (entry != model.entries.end()) entry->finished = true;
        } else {
          keys.forget(place);
          if (entry != model.entries.end()) model.entries.erase(entry);
        }
      }
      if (places.size() > 40) places.pop_front();
    }
  }
}

}  // namespace
