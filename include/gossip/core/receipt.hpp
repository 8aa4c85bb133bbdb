// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Receipt: how a provider learns what became of an event that it handed to a bus. Layer: core.

#include <atomic>
#include <cstdint>

namespace gossip {

/// What a provider keeps about an event until the bus is done with it. Made by the provider, with
/// what it needs in a derived class.
struct ReceiptState {
  /// Called once, on whatever thread is the last to be done with the event, when every processor has
  /// succeeded or finally failed, or the event was dropped; destroys the state. Must be short.
  void (*settle)(ReceiptState* state) noexcept;
  /// A processor failed for good, or the event was dropped unhandled; read it in settle().
  std::atomic<bool> failed{false};
  std::atomic<std::uint32_t> holders{1};  ///< receipts that refer to it
};

/// Holds a ReceiptState while the event, or what is left to be done with it, exists. An event's
/// ordinary copies do not hold it: a processor that keeps one delays nothing.
///
/// Thread safety: as a std::shared_ptr.
class Receipt {
 public:
  /// Holds nothing.
  Receipt() noexcept = default;
  /// Takes over the one hold that a new state has.
  explicit Receipt(ReceiptState* state) noexcept : state_{state} {}
  /// Copies hold the same state; the last one to go settles it.
  /// @{
  Receipt(const Receipt& other) noexcept : state_{other.state_} {
    if (state_ != nullptr) state_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  Receipt(Receipt&& other) noexcept : state_{other.state_} { other.state_ = nullptr; }
  Receipt& operator=(Receipt other) noexcept {
    ReceiptState* mine = state_;
    state_ = other.state_;
    other.state_ = mine;
    return *this;
  }
  ~Receipt() {
    if (state_ != nullptr) let_go(state_);
  }
  /// @}

  /// Notes that the event was not handled as it should be.
  void fail() const noexcept {
    if (state_ != nullptr) state_->failed.store(true, std::memory_order_relaxed);
  }
  /// True if it holds a state.
  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  /// Out of line, since every event destroys one, and few hold a state.
  [[gnu::noinline]] static void let_go(ReceiptState* state) noexcept {
    // acq_rel: settle() sees what every holder did
    if (state->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) state->settle(state);
  }

  ReceiptState* state_ = nullptr;
};

}  // namespace gossip
