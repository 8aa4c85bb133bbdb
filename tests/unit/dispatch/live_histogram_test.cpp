// SPDX-License-Identifier: MIT
#include <gossip/dispatch/live_histogram.hpp>

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace {

using gossip::Histogram;
using gossip::detail::HistogramTable;
using gossip::detail::LiveHistogram;
using namespace std::chrono_literals;

Histogram read(const HistogramTable& table, std::uint32_t index, std::uint64_t tenant) {
  Histogram histogram;
  table.add_to(histogram, index, tenant);
  return histogram;
}

TEST_CASE("LiveHistogram: values of a new tenant replace those of the old", "[histogram]") {
  const auto live = std::make_unique<LiveHistogram>();
  live->record(1, 100);
  live->record(1, 200);
  Histogram first;
  live->add_to(first, 1);
  CHECK(first.count() == 2);
  CHECK(first.sum() == 300ns);
  live->record(2, 7);
  Histogram gone;
  live->add_to(gone, 1);
  CHECK(gone.count() == 0);
  Histogram second;
  live->add_to(second, 2);
  CHECK(second.count() == 1);
  CHECK(second.quantile(1) == 7ns);
  CHECK(second.sum() == 7ns);
}

TEST_CASE("HistogramTable: each index has its own, however large", "[histogram]") {
  HistogramTable table;
  for (std::uint32_t index = 0; index < 200; ++index) table.record(index, index + 1, index);
  table.record(100'000, 5, 9);
  for (std::uint32_t index = 0; index < 200; ++index) {
    const Histogram found = read(table, index, index + 1);
    if (found.count() != 1 || found.sum().count() != index) FAIL(index);
  }
  CHECK(read(table, 100'000, 5).sum() == 9ns);
  CHECK(read(table, 100'000, 6).count() == 0);
  CHECK(read(table, 99'999, 5).count() == 0);
  CHECK(read(table, 4'000'000'000U, 5).count() == 0);
}

TEST_CASE("HistogramTable: is read while its thread writes, and nothing goes back", "[histogram]") {
  HistogramTable table;
  std::atomic<bool> done{false};
  std::thread writer{[&] {
    for (std::uint64_t i = 1; i <= 20'000; ++i) table.record(0, 1, i);
    done.store(true);
  }};
  std::uint64_t last = 0;
  bool back = false;
  while (!done.load()) {
    const std::uint64_t now = read(table, 0, 1).count();
    back = back || now < last;
    last = now;
  }
  writer.join();
  CHECK_FALSE(back);
  CHECK(read(table, 0, 1).count() == 20'000);
  CHECK(read(table, 0, 1).sum().count() == 20'000LL * 20'001 / 2);
}

}  // namespace
