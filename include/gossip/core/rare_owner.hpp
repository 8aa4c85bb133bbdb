// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RareOwner: owns what few programs have. Layer: core.

namespace gossip::detail {

/// An Owner that is told how to delete its object together with it. So a program in which nobody gives
/// it one does not compile the object's destructor, and what that takes.
///
/// Thread safety: none, as any pointer.
template <class T>
class RareOwner {
 public:
  RareOwner() noexcept = default;
  /// @param object  from `new`
  explicit RareOwner(T* object) noexcept
      : object_{object}, destroy_{[](T* own) noexcept { delete own; }} {}
  RareOwner(RareOwner&& other) noexcept : object_{other.object_}, destroy_{other.destroy_} {
    other.object_ = nullptr;
  }
  RareOwner& operator=(RareOwner&& other) noexcept {
    T* const object = other.object_;
    other.object_ = nullptr;
    if (object_ != nullptr) destroy_(object_);
    object_ = object;
    destroy_ = other.destroy_;
    return *this;
  }
  ~RareOwner() {
    if (object_ != nullptr) destroy_(object_);
  }

  [[nodiscard]] T* get() const noexcept { return object_; }
  [[nodiscard]] T& operator*() const noexcept { return *object_; }
  [[nodiscard]] T* operator->() const noexcept { return object_; }
  [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
  void (*destroy_)(T* object) noexcept = nullptr;
};

}  // namespace gossip::detail
