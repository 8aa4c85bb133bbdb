// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Owner: deletes what it holds. Layer: core.

#include <cstddef>

namespace gossip::detail {

/// Holds an object from `new` and deletes it. In place of std::unique_ptr, of which an unoptimised
/// build compiles about forty functions for every type that it holds; of this it compiles those that
/// are called.
///
/// Thread safety: none, as any pointer.
template <class T>
class Owner {
 public:
  Owner() noexcept = default;
  explicit Owner(T* object) noexcept : object_{object} {}
  Owner(Owner&& other) noexcept : object_{other.release()} {}
  Owner& operator=(Owner&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Owner() {
    if (object_ != nullptr) destroy(object_);
  }

  [[nodiscard, gnu::always_inline]] T* get() const noexcept { return object_; }
  [[nodiscard, gnu::always_inline]] T& operator*() const noexcept { return *object_; }
  [[nodiscard, gnu::always_inline]] T* operator->() const noexcept { return object_; }
  [[nodiscard, gnu::always_inline]] explicit operator bool() const noexcept {
    return object_ != nullptr;
  }
  [[nodiscard, gnu::always_inline]] bool operator==(std::nullptr_t) const noexcept {
    return object_ == nullptr;
  }

  /// Lets go of the object, which is the caller's from now on.
  [[nodiscard, gnu::always_inline]] T* release() noexcept {
    T* object = object_;
    object_ = nullptr;
    return object;
  }
  /// Deletes the object and takes over another one.
  void reset(T* object = nullptr) noexcept {
    T* old = object_;
    object_ = object;
    delete old;
  }

 private:
  /// Out of line, since many an owner is destroyed per event and few have an object.
  [[gnu::noinline]] static void destroy(T* object) noexcept { delete object; }

  T* object_ = nullptr;
};

/// Holds an array from `new[]`, for its whole life.
template <class T>
class Owner<T[]> {
 public:
  /// Makes `size` values. @throws std::bad_alloc, and what their constructor throws
  explicit Owner(std::size_t size) : array_{new T[size]()} {}
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { delete[] array_; }

  [[nodiscard, gnu::always_inline]] T* get() const noexcept { return array_; }
  [[nodiscard, gnu::always_inline]] T& operator[](std::size_t index) const noexcept {
    return array_[index];
  }

 private:
  T* array_;
};

}  // namespace gossip::detail
