// SPDX-License-Identifier: MIT
#include <gossip/core/atomic_pointer.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <thread>

using gossip::detail::AtomicPointer;

TEST_CASE("AtomicPointer: points at what was stored last", "[atomic_pointer]") {
  int first = 1;
  AtomicPointer<int> none;
  CHECK(none.load() == nullptr);
  AtomicPointer<int> pointer{&first};
  CHECK(pointer.load(std::memory_order_relaxed) == &first);
  const int second = 2;
  AtomicPointer<const int> constant;
  constant.store(&second, std::memory_order_release);
  CHECK(constant.load(std::memory_order_acquire) == &second);
  constant.store(nullptr);
  CHECK(constant.load() == nullptr);
}

TEST_CASE("AtomicPointer: what was written before a store is seen after it", "[atomic_pointer]") {
  int value = 0;
  AtomicPointer<int> pointer;
  std::thread writer{[&] {
    value = 7;
    pointer.store(&value, std::memory_order_release);
  }};
  const int* seen = nullptr;
  while ((seen = pointer.load(std::memory_order_acquire)) == nullptr) std::this_thread::yield();
  CHECK(*seen == 7);
  writer.join();
}

TEST_CASE("AtomicPointer: is exchanged if it is what is expected", "[atomic_pointer]") {
  int first = 1;
  int second = 2;
  AtomicPointer<int> pointer{&first};
  int* expected = nullptr;
  CHECK_FALSE(pointer.compare_exchange_strong(expected, &second, std::memory_order_acq_rel));
  CHECK(expected == &first);
  CHECK(pointer.load() == &first);
  CHECK(pointer.compare_exchange_strong(expected, &second, std::memory_order_acq_rel));
  CHECK(pointer.load() == &second);
  CHECK(expected == &first);  // it is told of what is there only if that was not expected
}

TEST_CASE("AtomicPointer: who comes second sees what the first one wrote", "[atomic_pointer]") {
  std::array<int, 2> values{};
  AtomicPointer<int> pointer;
  const auto offer = [&](int& mine) {
    mine = 7;
    int* expected = nullptr;
    const bool first = pointer.compare_exchange_strong(expected, &mine, std::memory_order_acq_rel);
    return first ? mine : *expected;
  };
  int seen = 0;
  std::thread other{[&] { seen = offer(values[1]); }};
  CHECK(offer(values[0]) == 7);
  other.join();
  CHECK(seen == 7);
}

TEST_CASE("AtomicPointer: a constant expression makes one", "[atomic_pointer]") {
  static int value = 3;
  static constinit AtomicPointer<int> pointer{&value};
  CHECK(*pointer.load() == 3);
  STATIC_REQUIRE(sizeof pointer == sizeof(int*));
}
