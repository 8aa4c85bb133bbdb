// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Shared: counted ownership of an object that holds its own count. Layer: core.

#include <atomic>
#include <cstddef>

namespace gossip::detail {

/// The count in an object that Shared holds.
class SharedCount {
 public:
  void add_holder() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
  /// @return  true if that was the last one
  bool drop_holder() noexcept {
    // The last one comes after whatever the others did.
    return holders_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

 private:
  std::atomic<std::size_t> holders_{0};
};

/// Holds an object from `new`, together with others; the last one deletes it. `T` has a SharedCount
/// named `count`. In place of std::shared_ptr where no user sees it: an unoptimised build compiles
/// about sixty functions for every type that one holds.
///
/// Thread safety: as a std::shared_ptr.
template <class T>
class Shared {
 public:
  explicit Shared(T* object) noexcept : object_{object} { object_->count.add_holder(); }
  Shared(const Shared& other) noexcept : Shared{other.object_} {}
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment)
  Shared& operator=(const Shared& other) noexcept {
    other.object_->count.add_holder();
    drop();
    object_ = other.object_;
    return *this;
  }
  ~Shared() { drop(); }

  [[nodiscard]] T& operator*() const noexcept { return *object_; }
  [[nodiscard]] T* operator->() const noexcept { return object_; }

 private:
  void drop() noexcept {
    if (object_->count.drop_holder()) delete object_;
  }

  T* object_;
};

}  // namespace gossip::detail
