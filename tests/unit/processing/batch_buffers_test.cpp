// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_buffers.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::Event;
using gossip::EventType;
using Buffers = gossip::detail::BatchBuffers<int>;
using Buffer = Buffers::Buffer;

namespace {

constexpr EventType<int> number{"test.number"};

}  // namespace

TEST_CASE("BatchBuffers: what was given back is used again, storage and all", "[batch]") {
  Buffers buffers{3};
  Buffer& first = buffers.take();
  Buffer& second = buffers.take();
  CHECK(&first != &second);
  CHECK(first.events.capacity() >= 3);
  first.events.emplace_back(number, 1);
  const auto* storage = first.events.data();
  first.clear();
  buffers.give(first);
  Buffer& again = buffers.take();
  CHECK(&again == &first);
  CHECK(again.size() == 0);
  again.events.emplace_back(number, 2);
  CHECK(again.events.data() == storage);
  CHECK(buffers.count() == 2);
}

TEST_CASE("BatchBuffer: dropped events are not among its events", "[batch]") {
  Buffers buffers{3};
  Buffer& buffer = buffers.take();
  for (const int i : {1, 2, 3}) buffer.events.emplace_back(number, int{i});
  buffer.first = 2;
  CHECK(buffer.size() == 1);
  REQUIRE(buffer.span().size() == 1);
  CHECK(buffer.span().front().data() == 3);
  buffer.clear();
  CHECK(buffer.first == 0);
  CHECK(buffer.span().empty());
}

TEST_CASE("BatchList: first in, first out", "[batch]") {
  Buffers buffers{1};
  Buffer& a = buffers.take();
  Buffer& b = buffers.take();
  gossip::detail::BatchList<int> list;
  CHECK(list.empty());
  list.push_back(a);
  list.push_back(b);
  CHECK(list.front() == &a);
  CHECK(&list.pop_front() == &a);
  list.push_back(a);
  CHECK(&list.pop_front() == &b);
  CHECK(&list.pop_front() == &a);
  CHECK(list.empty());
  list.push_back(b);
  CHECK(list.front() == &b);
}
