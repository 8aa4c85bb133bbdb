// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Keeper: counted ownership of what a handle must keep alive. Layer: core.

#include <gossip/core/shared.hpp>

#include <cstddef>

namespace gossip::detail {

/// Base of an object from `new` that Keepers hold together; the last one deletes it.
class Kept {
 public:
  /// @param destroy  deletes the complete object
  explicit Kept(void (*destroy)(Kept* kept) noexcept) noexcept : destroy_{destroy} {}
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

 protected:
  ~Kept() = default;

 private:
  friend class Keeper;

  SharedCount count_;
  void (*const destroy_)(Kept* kept) noexcept;
};

/// Holds a Kept, whatever it is, or nothing. In place of std::shared_ptr<void>, with which an
/// unoptimised build compiles about eighty functions.
///
/// Thread safety: as a std::shared_ptr.
class Keeper {
 public:
  Keeper() noexcept = default;
  Keeper(std::nullptr_t /*nothing*/) noexcept {}
  explicit Keeper(Kept* kept) noexcept : kept_{kept} { kept_->count_.add_holder(); }
  Keeper(const Keeper& other) noexcept : kept_{other.kept_} {
    if (kept_ != nullptr) kept_->count_.add_holder();
  }
  Keeper(Keeper&& other) noexcept : kept_{other.kept_} { other.kept_ = nullptr; }
  Keeper& operator=(Keeper other) noexcept {
    Kept* const mine = kept_;
    kept_ = other.kept_;
    other.kept_ = mine;
    return *this;
  }
  ~Keeper() {
    if (kept_ != nullptr && kept_->count_.drop_holder()) kept_->destroy_(kept_);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return kept_ != nullptr; }
  /// @pre it holds something
  [[nodiscard]] Kept& operator*() const noexcept { return *kept_; }

 private:
  Kept* kept_ = nullptr;
};

/// A Keeper of a `T`, which is a Kept; never of nothing, until it is moved from.
template <class T>
class KeeperOf : public Keeper {
 public:
  /// @param kept  from `new`, or held already
  explicit KeeperOf(T* kept) noexcept : Keeper{kept} {}

  [[nodiscard]] T& operator*() const noexcept { return static_cast<T&>(Keeper::operator*()); }
  [[nodiscard]] T* operator->() const noexcept { return &**this; }
};

}  // namespace gossip::detail
