// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// LiveHistogram: a histogram that one thread writes while others read it. Layer: dispatch.

#include <gossip/core/atomic_pointer.hpp>
#include <gossip/dispatch/histogram.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace gossip::detail {

/// A histogram of one thread, for one tenant at a time: values of a new one replace those of the old.
///
/// Thread safety: record() by the owning thread alone, add_to() by any. Progress: wait-free.
class LiveHistogram {
 public:
  /// Records a value of `tenant`, which is not 0.
  void record(std::uint64_t tenant, std::uint64_t nanoseconds) noexcept {
    if (tenant_.load(std::memory_order_relaxed) != tenant) clear_for(tenant);
    increment(counts_[HistogramScale::bucket_of(nanoseconds)], 1);
    increment(sum_, nanoseconds);
  }

  /// Adds what has been recorded of `tenant`; the sum may lack what is recorded meanwhile.
  /// @throws std::bad_alloc
  void add_to(Histogram& histogram, std::uint64_t tenant) const {
    if (tenant_.load(std::memory_order_acquire) != tenant) return;  // (2) pairs with (1)
    for (std::size_t i = 0; i < HistogramScale::size; ++i) {
      histogram.add(i, counts_[i].load(std::memory_order_relaxed));
    }
    histogram.add_sum(sum_.load(std::memory_order_relaxed));
  }

 private:
  using Counter = std::atomic<std::uint64_t>;

  static void increment(Counter& counter, std::uint64_t by) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  void clear_for(std::uint64_t tenant) noexcept {
    tenant_.store(0, std::memory_order_relaxed);
    for (Counter& counter : counts_) counter.store(0, std::memory_order_relaxed);
    sum_.store(0, std::memory_order_relaxed);
    tenant_.store(tenant, std::memory_order_release);  // (1): nothing of the former one is seen
  }

  Counter tenant_{0};
  Counter sum_{0};  // nanoseconds
  Counter counts_[HistogramScale::size]{};
};

/// The histograms of one thread by index, each made when it is first written to.
///
/// Thread safety: record() by the owning thread alone, add_to() by any.
class HistogramTable {
 public:
  HistogramTable() = default;
  HistogramTable(const HistogramTable&) = delete;
  HistogramTable& operator=(const HistogramTable&) = delete;
  ~HistogramTable() {
    for (std::uint32_t k = 0; k < chunk_count; ++k) {
      Cell* chunk = chunks_[k].load(std::memory_order_relaxed);
      for (std::size_t i = 0; chunk != nullptr && i < size_of(k); ++i) {
        delete chunk[i].load(std::memory_order_relaxed);
      }
      delete[] chunk;
    }
  }

  /// See LiveHistogram. Without memory the value is lost.
  void record(std::uint32_t index, std::uint64_t tenant, std::uint64_t nanoseconds) noexcept {
    const Place place = place_of(index);
    Cell* chunk = chunks_[place.chunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) [[unlikely]] {
      chunk = new (std::nothrow) Cell[size_of(place.chunk)]{};
      chunks_[place.chunk].store(chunk, std::memory_order_release);  // (1)
      if (chunk == nullptr) return;
    }
    Cell& cell = chunk[place.offset];
    LiveHistogram* histogram = cell.load(std::memory_order_relaxed);
    if (histogram == nullptr) [[unlikely]] {
      histogram = new (std::nothrow) LiveHistogram;
      cell.store(histogram, std::memory_order_release);  // (2)
      if (histogram == nullptr) return;
    }
    histogram->record(tenant, nanoseconds);
  }

  /// See LiveHistogram. @throws std::bad_alloc
  void add_to(Histogram& histogram, std::uint32_t index, std::uint64_t tenant) const {
    const Place place = place_of(index);
    const Cell* chunk = chunks_[place.chunk].load(std::memory_order_acquire);  // pairs with (1)
    if (chunk == nullptr) return;
    const LiveHistogram* found = chunk[place.offset].load(std::memory_order_acquire);  // with (2)
    if (found != nullptr) found->add_to(histogram, tenant);
  }

 private:
  using Cell = AtomicPointer<LiveHistogram>;
  /// Chunk k holds first_size * 2^k cells.
  static constexpr std::size_t first_size = 16;
  static constexpr std::uint32_t chunk_count = 28;

  struct Place {
    std::uint32_t chunk;
    std::size_t offset;
  };
  static Place place_of(std::uint32_t index) noexcept {
    const auto chunk = static_cast<std::uint32_t>(std::bit_width(index / first_size + 1)) - 1;
    return {chunk, index - first_size * ((std::size_t{1} << chunk) - 1)};
  }
  static std::size_t size_of(std::uint32_t chunk) noexcept { return first_size << chunk; }

  AtomicPointer<Cell> chunks_[chunk_count]{};
};

}  // namespace gossip::detail
