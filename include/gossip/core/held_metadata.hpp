// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// HeldMetadata: the metadata of an event, if it has any. Layer: core.

#include <gossip/core/metadata.hpp>

#include <concepts>
#include <utility>

namespace gossip::detail {

/// Owns the metadata of an event, or none; a copy has a copy. What copies and destroys it is known from
/// whoever gave it, so a program that never gives an event any does not compile that.
///
/// Thread safety: none, as any object.
class HeldMetadata {
 public:
  HeldMetadata() noexcept = default;
  /// @throws std::bad_alloc
  template <std::same_as<Metadata> Given>
  explicit HeldMetadata(Given metadata)
      : box_{new Box{std::move(metadata), [](const Box& box) { return new Box{box}; },
                     [](Box* box) noexcept { delete box; }}} {}
  /// @throws std::bad_alloc
  HeldMetadata(const HeldMetadata& other)
      : box_{other.box_ != nullptr ? other.box_->copy(*other.box_) : nullptr} {}
  HeldMetadata(HeldMetadata&& other) noexcept : box_{other.box_} { other.box_ = nullptr; }
  HeldMetadata& operator=(HeldMetadata other) noexcept {
    Box* mine = box_;
    box_ = other.box_;
    other.box_ = mine;
    return *this;
  }
  ~HeldMetadata() {
    if (box_ != nullptr) box_->destroy(box_);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return box_ != nullptr; }
  /// Null if there is none.
  [[nodiscard]] const Metadata* get() const noexcept {
    return box_ != nullptr ? &box_->metadata : nullptr;
  }
  /// @pre there is some
  /// @{
  [[nodiscard]] Metadata& operator*() const noexcept { return box_->metadata; }
  [[nodiscard]] Metadata* operator->() const noexcept { return &box_->metadata; }
  /// @}

 private:
  struct Box {
    Metadata metadata;
    Box* (*copy)(const Box& box);
    void (*destroy)(Box* box) noexcept;
  };

  Box* box_ = nullptr;
};

}  // namespace gossip::detail
