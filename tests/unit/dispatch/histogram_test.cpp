// SPDX-License-Identifier: MIT
#include <gossip/dispatch/histogram.hpp>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using gossip::Histogram;
using gossip::detail::HistogramScale;
using namespace std::chrono_literals;

TEST_CASE("HistogramScale: buckets join without a gap, none wider than an eighth", "[histogram]") {
  STATIC_REQUIRE(HistogramScale::size == 304);
  CHECK(HistogramScale::lowest(0) == 0);
  for (std::size_t i = 0; i < HistogramScale::size; ++i) {
    const std::uint64_t low = HistogramScale::lowest(i);
    const std::uint64_t high = HistogramScale::lowest(i + 1) - 1;
    if (HistogramScale::bucket_of(low) != i || HistogramScale::bucket_of(high) != i) FAIL(i);
    if (high < low || (high - low) * 8 > low) FAIL(i);
  }
  CHECK(HistogramScale::lowest(HistogramScale::size) == std::uint64_t{1} << 40U);
  CHECK(HistogramScale::bucket_of(std::uint64_t{1} << 40U) == HistogramScale::size - 1);
  CHECK(HistogramScale::bucket_of(UINT64_MAX) == HistogramScale::size - 1);
}

TEST_CASE("Histogram: of nothing", "[histogram]") {
  const Histogram none;
  CHECK(none.count() == 0);
  CHECK(none.sum() == 0ns);
  CHECK(none.mean() == 0ns);
  CHECK(none.quantile(0) == 0ns);
  CHECK(none.quantile(0.5) == 0ns);
  CHECK(none.quantile(1) == 0ns);
  CHECK(none.count_below_power(40) == 0);
}

TEST_CASE("Histogram: quantiles are those of the values, an eighth too long at most",
          "[histogram]") {
  std::mt19937_64 random{7};
  Histogram histogram;
  std::vector<std::int64_t> values;
  std::int64_t sum = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (24 + random() % 40));
    values.push_back(value);
    sum += value;
    histogram.add(std::chrono::nanoseconds{value});
  }
  std::sort(values.begin(), values.end());
  CHECK(histogram.count() == values.size());
  CHECK(histogram.sum().count() == sum);
  CHECK(histogram.mean().count() == sum / 5000);
  for (const double share : {0.0, 0.0001, 0.25, 0.5, 0.9, 0.99, 0.9999, 1.0}) {
    const auto index = static_cast<std::size_t>(std::max(0.0, std::ceil(share * 5000) - 1));
    const std::int64_t exact = values[index];
    const std::int64_t found = histogram.quantile(share).count();
    INFO(share << ": " << exact << " as " << found);
    CHECK(found >= exact);
    CHECK(found - exact <= exact / 8);
  }
  for (const unsigned power : {3U, 10U, 20U, 39U, 40U}) {
    const auto below = std::lower_bound(values.begin(), values.end(), std::int64_t{1} << power);
    CHECK(histogram.count_below_power(power) == static_cast<std::uint64_t>(below - values.begin()));
  }
}

TEST_CASE("Histogram: what is out of range is brought into it", "[histogram]") {
  Histogram histogram;
  histogram.add(-5ns);
  CHECK(histogram.quantile(1) == 0ns);
  CHECK(histogram.sum() == 0ns);
  histogram.add(1h);
  CHECK(histogram.count() == 2);
  CHECK(histogram.quantile(1).count() == (std::int64_t{1} << 40) - 1);
  CHECK(histogram.count_below_power(40) == 2);
  CHECK(histogram.count_below_power(39) == 1);
  CHECK(histogram.sum() == 1h);
}

TEST_CASE("Histogram: sums and differences", "[histogram]") {
  Histogram a;
  a.add(10ns);
  a.add(1us);
  Histogram b;
  b.add(1ms);
  Histogram both = a;
  both += b;
  both += Histogram{};
  CHECK(both.count() == 3);
  CHECK(both.sum() == 1001010ns);
  CHECK(both.quantile(0) == 10ns);
  both -= a;
  both -= Histogram{};
  CHECK(both.count() == 1);
  CHECK(both.sum() == 1ms);
  CHECK(both.quantile(0) == b.quantile(0));
}

TEST_CASE("Histogram: copies have counts of their own, and moving hands them over", "[histogram]") {
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Histogram>);
  STATIC_REQUIRE(std::is_nothrow_move_assignable_v<Histogram>);
  Histogram original;
  original.add(10ns);
  Histogram copy{original};
  copy.add(1s);
  Histogram assigned;
  assigned.add(1ms);
  assigned = original;
  assigned.add(2s);
  CHECK(original.quantile(1) == 10ns);
  CHECK(copy.count() == 2);
  CHECK(copy.quantile(1) >= 1s);
  CHECK(copy.quantile(1) < 2s);
  CHECK(assigned.count() == 2);
  CHECK(assigned.quantile(0) == 10ns);
  CHECK(assigned.quantile(1) >= 2s);

  const Histogram& itself = copy;
  copy = itself;
  CHECK(copy.quantile(0) == 10ns);
  const Histogram moved{std::move(copy)};
  CHECK(moved.count() == 2);
  CHECK(moved.quantile(0) == 10ns);
  assigned = std::move(original);
  CHECK(assigned.count() == 1);
  CHECK(assigned.quantile(1) == 10ns);
  assigned = Histogram{};
  CHECK(assigned.quantile(1) == 0ns);
  CHECK(Histogram{assigned}.count_below_power(40) == 0);
  assigned.add(3ns);
  CHECK(assigned.quantile(1) == 3ns);
}

}  // namespace
