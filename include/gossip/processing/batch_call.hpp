// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchCall: what happens to the events of one batch. Layer: processing.

#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/batch_options.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

namespace gossip::detail {

/// A call of a batch's processor or dead_letter on this thread's stack.
struct BatchFrame {
  // NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
  explicit BatchFrame(const void* batch) noexcept;
  BatchFrame(const BatchFrame&) = delete;
  BatchFrame& operator=(const BatchFrame&) = delete;
  ~BatchFrame();

  /// True inside a call made by any batch.
  [[nodiscard]] static bool any() noexcept;
  /// True inside a call made by that one.
  [[nodiscard]] static bool of(const void* batch) noexcept;

  const void* batch;
  const BatchFrame* outer;
};

/// The innermost such call.
inline constinit thread_local const BatchFrame* batch_frame = nullptr;

inline BatchFrame::BatchFrame(const void* called) noexcept : batch{called}, outer{batch_frame} {
  batch_frame = this;
}
inline BatchFrame::~BatchFrame() { batch_frame = outer; }

inline bool BatchFrame::any() noexcept { return batch_frame != nullptr; }
inline bool BatchFrame::of(const void* batch) noexcept {
  for (const BatchFrame* frame = batch_frame; frame != nullptr; frame = frame->outer) {
    if (frame->batch == batch) return true;
  }
  return false;
}

/// A batch's processor, its type erased.
template <Payload T>
struct BatchCall {
  std::shared_ptr<void> processor;
  Status (*invoke)(void* processor, std::span<const Event<T>> events, Context& context) = nullptr;
};

/// Calls the processor of `batch`.
/// @return  its Status, also if it throws
template <Payload T>
Status call_batch(const void* batch, const BatchCall<T>& call, std::span<const Event<T>> events,
                  const std::stop_token& stop, unsigned attempt) noexcept {
  const BatchFrame frame{batch};
  try {
    Context context{stop, SteadyTime::max(), attempt};
    return call.invoke(call.processor.get(), events, context);
  } catch (...) {
    return status_of_current_exception();
  }
}

/// Parts with events that have failed for good.
/// @return  where they are to be counted
template <Payload T>
std::uint64_t BatchStatistics::*bury_batch(const void* batch, const BatchOptions<T>& options,
                                           std::span<const Event<T>> events,
                                           const Status& failure) noexcept {
  for (const Event<T>& event : events) EventAccess::header(event).receipt.fail();
  if (!options.dead_letter) return &BatchStatistics::discarded;
  const BatchFrame frame{batch};
  try {
    options.dead_letter(events, failure);
    return &BatchStatistics::dead_lettered;
  } catch (...) {
    return &BatchStatistics::dead_letter_failed;
  }
}

}  // namespace gossip::detail
