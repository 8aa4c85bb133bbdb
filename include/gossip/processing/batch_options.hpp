// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BatchOptions and BatchStatistics: what can be chosen for a batch, and what it counts.
/// Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/processing/retry.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace gossip {

/// What can be chosen for a batch of events of payload `T`.
template <Payload T>
struct BatchOptions {
  /// A batch of so many is flushed, by the thread that added the last one; 1 to 1000000. Storage for
  /// so many is reserved for each batch that waits. // events
  std::size_t size = 100;
  /// How long the first event of a batch may wait for it to fill; 0: until it does; not negative.
  std::chrono::nanoseconds period{0};
  /// What the events of a batch may come to as `bytes_of` measures them; 0: no limit. A larger event
  /// makes a batch of its own. // bytes
  std::size_t max_bytes = 0;
  /// What an event counts against max_bytes; must be set with it.
  std::function<std::size_t(const Event<T>&)> bytes_of = {};
  /// How many events may wait, those handed to the processor not counted; 0 stands for 8 times
  /// `size`; else at least `size`. // events
  std::size_t max_pending = 0;
  /// What adding does when that many wait.
  OverflowPolicy overflow = OverflowPolicy::block;
  /// How many batches the processor may be handed at once, 1 to 1024; 1 means one after the other, in
  /// order. // batches
  std::size_t max_concurrent_flushes = 1;
  /// How often and when a batch whose processor failed is tried again, if that is worth it (see
  /// WorthRetrying). Later batches wait meanwhile, if max_concurrent_flushes is 1: they stay in order.
  RetryOptions retry = {};
  /// Given the events of a batch that has failed for good, and why; called like the processor. Empty:
  /// such events are counted as `discarded`.
  std::function<void(std::span<const Event<T>>, const Status&)> dead_letter = {};
  /// How long the destructor, and close() without an argument, let the processor handle what is left;
  /// not negative.
  std::chrono::nanoseconds shutdown_timeout = std::chrono::seconds{30};
  /// The type of the events that add(data) makes.
  EventType<T> type{"batch.item"};
};

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
template <class T>
[[nodiscard]] Status validate(const BatchOptions<T>& options) {
  using detail::refuse_option;
  constexpr std::chrono::nanoseconds none{0};
  const auto time = [](std::chrono::nanoseconds value) {
    std::string text = std::to_string(value.count());
    text += " ns";
    return text;
  };
  if (options.size < 1 || options.size > 1'000'000) {
    return refuse_option("size", std::to_string(options.size), "1 to 1000000");
  }
  if (options.period < none) return refuse_option("period", time(options.period), "0 or more");
  if (options.max_bytes != 0 && !options.bytes_of) {
    return refuse_option("bytes_of", "empty", "a function, if max_bytes is set");
  }
  if (options.max_pending != 0 && options.max_pending < options.size) {
    return refuse_option("max_pending", std::to_string(options.max_pending), "0, or size or more");
  }
  if (static_cast<unsigned>(options.overflow) >
      static_cast<unsigned>(OverflowPolicy::drop_newest)) {
    return refuse_option("overflow", std::to_string(static_cast<unsigned>(options.overflow)),
                         "block, reject, drop_oldest, drop_newest");
  }
  if (options.max_concurrent_flushes < 1 || options.max_concurrent_flushes > 1024) {
    return refuse_option("max_concurrent_flushes", std::to_string(options.max_concurrent_flushes),
                         "1 to 1024");
  }
  if (const Status status = validate(options.retry); !status.ok()) {
    const auto* error = find_error<ValidationError>(status);
    return ValidationError{detail::join({"retry.", error->field()}),
                           detail::join({"retry.", error->message()})};
  }
  if (options.shutdown_timeout < none) {
    return refuse_option("shutdown_timeout", time(options.shutdown_timeout), "0 or more");
  }
  return {};
}

/// What a batch has done since it was made. Exact at the moment of asking; at every moment
///
///     accepted == processed + dead_lettered + discarded + dead_letter_failed + dropped_oldest
///                 + pending
struct BatchStatistics {
  std::uint64_t accepted = 0;       ///< taken in // events
  std::uint64_t processed = 0;      ///< handed to a call of the processor that succeeded // events
  std::uint64_t dead_lettered = 0;  ///< failed for good, handed to dead_letter // events
  std::uint64_t discarded = 0;      ///< failed for good; there is no dead_letter // events
  std::uint64_t dead_letter_failed = 0;  ///< handed to a dead_letter that threw // events
  std::uint64_t dropped_oldest = 0;      ///< dropped to make space // events
  std::uint64_t dropped_newest = 0;  ///< dropped for want of space (not in `accepted`) // events
  std::uint64_t rejected = 0;        ///< refused for want of space (not in `accepted`) // events
  std::uint64_t refused_closed = 0;  ///< refused: closed (not in `accepted`) // events
  std::size_t pending = 0;           ///< waiting, or being processed, now // events
  std::uint64_t by_size = 0;         ///< batches closed as full, by size or bytes // batches
  std::uint64_t by_period = 0;       ///< batches closed since the period was over // batches
  std::uint64_t by_flush = 0;        ///< batches closed by flush() // batches
  std::uint64_t by_close = 0;        ///< batches closed by close() // batches
  std::uint64_t failed = 0;          ///< calls of the processor that failed // calls
  std::uint64_t retried = 0;         ///< those of them that were followed by another // calls
};

}  // namespace gossip
