// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// AtomicPointer: an atomic pointer that compiles quickly. Layer: core.

#include <atomic>

namespace gossip::detail {

/// What std::atomic<T*> is, as far as it is used here, on one std::atomic for all `T`: of its own, each
/// would cost about as much to compile as three hundred lines of ours. For the same reason its members
/// become no functions of their own, not even in an unoptimised build.
///
/// Thread safety and progress: as std::atomic.
template <class T>
class AtomicPointer {
 public:
  constexpr AtomicPointer() noexcept = default;
  [[gnu::always_inline]] explicit constexpr AtomicPointer(T* value) noexcept : value_{value} {}
  AtomicPointer(const AtomicPointer&) = delete;
  AtomicPointer& operator=(const AtomicPointer&) = delete;

  [[nodiscard, gnu::always_inline]] T* load(
      std::memory_order order = std::memory_order_seq_cst) const noexcept {
    return static_cast<T*>(const_cast<void*>(value_.load(order)));
  }
  [[gnu::always_inline]] void store(T* value,
                                    std::memory_order order = std::memory_order_seq_cst) noexcept {
    value_.store(value, order);
  }
  /// @return  whether it was `expected`, which else becomes what it is
  bool compare_exchange_strong(T*& expected, T* value, std::memory_order order) noexcept {
    const void* found = expected;
    if (value_.compare_exchange_strong(found, value, order)) return true;
    expected = static_cast<T*>(const_cast<void*>(found));
    return false;
  }

 private:
  std::atomic<const void*> value_{nullptr};
};

}  // namespace gossip::detail
