// SPDX-License-Identifier: MIT
#include <gossip/processing/recording.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

using gossip::AnyEvent;
using gossip::Event;
using gossip::EventType;
using gossip::TickClock;
using gossip::detail::Recording;
using gossip::detail::RecordingRing;

namespace {

/// Uses the recording when it is copied and destroyed: user code must not run under its lock.
struct Nosy {
  explicit Nosy(Recording& asked) : recording{&asked} {}
  Nosy(const Nosy& other) : recording{other.recording} { (void)recording->size(); }
  ~Nosy() { (void)recording->size(); }
  Recording* recording;
};
constexpr EventType<Nosy> nosy{"test.nosy"};
constexpr EventType<int> number{"test.number"};

std::size_t copied(Recording& recording) {
  std::vector<AnyEvent> copies;
  recording.copy_to(copies);
  return copies.size();
}

}  // namespace

TEST_CASE("Recording: events are neither copied nor destroyed under the lock", "[recorder]") {
  RecordingRing recording{2, std::chrono::nanoseconds{0}, TickClock{}};
  for (int i = 0; i < 5; ++i) recording.add(AnyEvent{Event<Nosy>{nosy, Nosy{recording}}});
  CHECK(copied(recording) == 2);
  recording.clear();
  CHECK(recording.size() == 0);
}

TEST_CASE("Recording: is used by many threads at once", "[recorder]") {
  constexpr std::size_t capacity = 10;
  RecordingRing recording{capacity, std::chrono::microseconds{50}, TickClock{}};
  std::atomic<bool> wrong{false};
  gossip::test::on_threads(4, [&](std::size_t thread) {
    for (std::size_t i = 0; i < gossip::test::scaled(20'000); ++i) {
      recording.add(AnyEvent{Event{number, static_cast<int>(thread)}});
      if (i % 10 == thread && copied(recording) > capacity) wrong = true;
      if (i % 1'000 == 0) recording.clear();
      if (recording.size() > capacity) wrong = true;
    }
  });
  CHECK_FALSE(wrong);
}
