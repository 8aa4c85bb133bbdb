// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Histogram: how often what lasted how long. Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/owner.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gossip {
namespace detail {

/// The buckets of a histogram, log-linear as those of Gil Tene's HdrHistogram: each power of two is cut
/// into eight of equal width. So a value and any other one of its bucket differ by an eighth at most.
struct HistogramScale {
  static constexpr unsigned cuts = 3;     ///< log2 of the buckets in a power of two
  static constexpr unsigned powers = 40;  ///< what lasts longer counts as 2^40 - 1
  static constexpr std::size_t size = (powers - cuts + 1) << cuts;  // buckets

  /// The bucket of a number of nanoseconds.
  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value >> cuts == 0) return static_cast<std::size_t>(value);
    if (value >> powers != 0) return size - 1;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - cuts;
    return (std::size_t{shift} << cuts) + static_cast<std::size_t>(value >> shift);
  }
  /// The least number of nanoseconds in a bucket; for `size`, what the last one does not reach.
  static constexpr std::uint64_t lowest(std::size_t bucket) noexcept {
    if (bucket >> cuts == 0) return bucket;
    const std::size_t shift = (bucket >> cuts) - 1;
    return ((bucket & ((1U << cuts) - 1)) + (1U << cuts)) << shift;
  }
};

/// A count for each bucket, all 0 at first; or nothing. In place of a std::vector, whose members are
/// constexpr and thus compiled by everybody.
class HistogramCounts {
 public:
  HistogramCounts() noexcept = default;
  /// @throws std::bad_alloc
  HistogramCounts(const HistogramCounts& other)
      : counts_{other.empty() ? nullptr : new Buckets{*other.counts_}} {}
  HistogramCounts(HistogramCounts&&) noexcept = default;
  HistogramCounts& operator=(HistogramCounts other) noexcept {
    counts_ = std::move(other.counts_);
    return *this;
  }
  ~HistogramCounts() = default;

  /// @pre empty @throws std::bad_alloc
  void allocate() { counts_ = Owner<Buckets>{new Buckets{}}; }

  [[nodiscard]] bool empty() const noexcept { return counts_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return empty() ? 0 : HistogramScale::size; }
  [[nodiscard]] std::uint64_t& operator[](std::size_t bucket) const noexcept {
    return counts_->counts[bucket];
  }

 private:
  struct Buckets {
    std::uint64_t counts[HistogramScale::size];
  };

  Owner<Buckets> counts_;
};

}  // namespace detail

/// How many durations of which length there were. A length is known to an eighth of it; what lasts 2^40
/// ns (18 minutes) or longer counts as that. A histogram without values holds no memory; with some it
/// has 2.4 KiB, however many they are.
///
/// Thread safety: as a std::vector.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;  ///< what it counts in

  /// Adds a duration; a negative one counts as none. @throws std::bad_alloc
  void add(Duration duration) {
    const std::uint64_t value =
        duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count());
    add(detail::HistogramScale::bucket_of(value), 1);
    sum_ += value;
  }
  /// Adds what another histogram has. @throws std::bad_alloc
  Histogram& operator+=(const Histogram& other) {
    for (std::size_t i = 0; i < other.counts_.size(); ++i) add(i, other.counts_[i]);
    sum_ += other.sum_;
    return *this;
  }
  /// Takes away what this had at an earlier time, so that the time since is left.
  /// @pre   `earlier` is an earlier state of this one
  Histogram& operator-=(const Histogram& earlier) noexcept {
    for (std::size_t i = 0; i < earlier.counts_.size() && i < counts_.size(); ++i) {
      counts_[i] -= earlier.counts_[i];
    }
    count_ -= earlier.count_;
    sum_ -= earlier.sum_;
    return *this;
  }

  /// How many there are. // values
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// Their sum, exact.
  [[nodiscard]] Duration sum() const noexcept { return Duration{static_cast<Duration::rep>(sum_)}; }
  /// Their mean; none if there are none.
  [[nodiscard]] Duration mean() const noexcept {
    return Duration{static_cast<Duration::rep>(count_ == 0 ? 0 : sum_ / count_)};
  }

  /// The duration that a share of the values do not exceed: at most an eighth too long, never too
  /// short; none if there are no values.
  /// @param share     from 0 (the shortest) over 0.5 (the median) to 1 (the longest)
  /// @par Complexity  linear in the number of buckets, 304
  [[nodiscard]] Duration quantile(double share) const noexcept {
    std::uint64_t left = rank_of(share);
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] >= left && counts_[i] != 0) {
        return Duration{static_cast<Duration::rep>(detail::HistogramScale::lowest(i + 1) - 1)};
      }
      left -= counts_[i] < left ? counts_[i] : left;
    }
    return Duration::zero();
  }

  /// How many values are shorter than a power of two of nanoseconds, exactly. // values
  /// @param power  of two, 3 to 40
  [[nodiscard]] std::uint64_t count_below_power(unsigned power) const noexcept {
    std::uint64_t count = 0;
    const std::size_t end = detail::HistogramScale::bucket_of(std::uint64_t{1} << power);
    const bool all = power >= detail::HistogramScale::powers;
    for (std::size_t i = 0; i < counts_.size() && (all || i < end); ++i) count += counts_[i];
    return count;
  }

  /// Adds values of a bucket, and to the sum. For use by gossip. @throws std::bad_alloc
  /// @{
  void add(std::size_t bucket, std::uint64_t count) {
    if (count == 0) return;
    if (counts_.empty()) counts_.allocate();
    counts_[bucket] += count;
    count_ += count;
  }
  void add_sum(std::uint64_t nanoseconds) noexcept { sum_ += nanoseconds; }
  /// @}

 private:
  /// Which of the values, counted from 1 by length, a share ends with.
  [[nodiscard]] std::uint64_t rank_of(double share) const noexcept {
    if (!(share > 0)) return 1;
    if (share >= 1) return count_;
    const double exact = share * static_cast<double>(count_);
    auto rank = static_cast<std::uint64_t>(exact);
    if (static_cast<double>(rank) < exact) ++rank;
    return rank == 0 ? 1 : rank;
  }

  detail::HistogramCounts counts_;  ///< empty while there are no values
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;  // nanoseconds
};

}  // namespace gossip
