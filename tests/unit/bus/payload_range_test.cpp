// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/payload_range.hpp>

#include "support/recorder.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using gossip::EventBus;
using gossip::EventType;
using gossip::PayloadRange;
using gossip::test::Recorder;

using Numbers = std::vector<int>;
using Pointer = std::unique_ptr<int>;

static_assert(PayloadRange<Numbers, int> && PayloadRange<Numbers&, int>);
static_assert(PayloadRange<const Numbers&, int> && PayloadRange<std::span<int>, int>);
static_assert(PayloadRange<std::initializer_list<int>, int> && PayloadRange<int (&)[2], int>);
static_assert(PayloadRange<std::vector<const char*>, std::string>);
static_assert(PayloadRange<std::vector<gossip::NoData>, void>);
static_assert(!PayloadRange<Numbers, Numbers>, "a vector is not made from its size by itself");
static_assert(!PayloadRange<Numbers, std::string> && !PayloadRange<int, int>);
// What can only be moved is moved from what is given away alone.
static_assert(PayloadRange<std::vector<Pointer>, Pointer>);
static_assert(!PayloadRange<std::vector<Pointer>&, Pointer>);
static_assert(!PayloadRange<const std::vector<Pointer>, Pointer>);
static_assert(!PayloadRange<std::span<Pointer>, Pointer>, "others see the elements");

/// Makes pointers to numbers, one after the other. By hand: clang 14 cannot compile the views.
struct Makes {
  struct Iterator {
    using value_type = Pointer;
    using difference_type = std::ptrdiff_t;
    Pointer operator*() const { return std::make_unique<int>(value); }
    Iterator& operator++() {
      ++value;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++value;
      return before;
    }
    bool operator==(const Iterator&) const = default;
    int value = 0;
  };
  [[nodiscard]] Iterator begin() const { return {first}; }
  [[nodiscard]] Iterator end() const { return {last}; }
  int first;
  int last;
};
static_assert(PayloadRange<Makes, Pointer> && PayloadRange<const Makes&, Pointer>);

constexpr EventType<Numbers> lists{"test.lists"};
constexpr EventType<Pointer> pointers{"test.pointers"};

TEST_CASE("PayloadRange: elements are converted, never constructed", "[payload_range]") {
  EventBus bus{{.workers = 1}};
  Recorder<std::size_t> sizes;
  const auto subscription = bus.subscribe(lists, [&](const Numbers& n) { sizes.add(n.size()); });
  CHECK(bus.publish_batch(lists, std::vector<Numbers>{{5, 6}, {7}}).published == 2);
  CHECK(bus.publish_batch(lists, std::initializer_list<Numbers>{{1, 2, 3}}).published == 1);
  bus.drain();
  CHECK(sizes.values() == std::vector<std::size_t>{2, 1, 3});
}

TEST_CASE("PayloadRange: payloads that a range makes need not be copyable", "[payload_range]") {
  EventBus bus{{.workers = 1}};
  Recorder<int> values;
  const auto subscription = bus.subscribe(pointers, [&](const Pointer& p) { values.add(*p); });
  CHECK(bus.publish_batch(pointers, Makes{4, 6}).published == 2);
  std::vector<Pointer> owners;
  owners.push_back(std::make_unique<int>(6));
  CHECK(bus.publish_batch(pointers, std::move(owners)).published == 1);
  bus.drain();
  CHECK(values.values() == std::vector<int>{4, 5, 6});
}

}  // namespace
