// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// BusOptions and SubscribeOptions: what can be chosen for a bus and for a subscription.
/// Layer: dispatch.

#include <gossip/core/chrono.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/rare_owner.hpp>
#include <gossip/core/source_location.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/core/text.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/dispatch/stall_report.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace gossip {

/// Whether events are stamped with the time when they are published. An Event that was built by hand
/// has its time from the system's clock, when it was built, whatever is chosen here.
enum class Timestamps : std::uint8_t {
  on,   ///< one reading of the bus's clock per event
  off,  ///< no reading; Event::timestamp() is the epoch
};

/// What a bus measures beside counting.
enum class Measure : std::uint8_t {
  nothing,  ///< costs nothing
  times,    ///< see BusOptions::measure
};

/// A failed call of a processor; or an event that could not be published when its scheduled time had
/// come, that could not be retained, or whose publishing was wrong in itself (these have no
/// subscription, and no id), as the error handler is told. Refers to what is being handled: copy what
/// you keep.
struct ErrorReport {
  SubscriptionId subscription;         ///< whose processor failed
  std::string_view subscription_name;  ///< SubscribeOptions::name
  std::string_view event_type;         ///< such as "auth.user.created"
  EventId event_id;                    ///< of the event that was being handled
  unsigned attempt;                    ///< 1 for the first call for this event
  const Status& status;                ///< what went wrong; never success
};

namespace detail {

/// Converted here, by the compiler, and not where options are made.
inline constexpr std::chrono::nanoseconds thirty_seconds = std::chrono::seconds{30};

}  // namespace detail

/// What can be chosen for a bus.
struct BusOptions {
  /// How many threads run processors, 1 to 1024; 0 stands for one per processor core. // threads
  std::size_t workers = 0;
  /// How many events of each priority may wait, 1 to 2^31; rounded up to a power of two, at least 2.
  /// A bus without events of high or low priority has no queue for them. // events
  std::size_t capacity = 1024;
  /// What publishing does when that many wait.
  OverflowPolicy overflow = OverflowPolicy::block;
  /// Whether events carry the time at which they were published.
  Timestamps timestamps = Timestamps::on;
  /// With Measure::times, Statistics have histograms: of how long calls took, and of how long events
  /// waited, from their time stamp (which Timestamps::off does not give them) to the beginning of the
  /// first call by a worker; those in a lane, to their call. Each thread writes its own, 2.4 KiB per
  /// subscription and type; a call costs 30 to 60 ns more.
  Measure measure = Measure::nothing;
  /// How long the destructor, and shutdown() without an argument, let queued events be handled;
  /// not negative.
  std::chrono::nanoseconds shutdown_timeout = detail::thirty_seconds;
  /// How deep a worker that publishes into a full queue may run what is queued inside one another,
  /// 1 to 256; beyond it such a publish answers Errc::queue_full. Each level takes 1 to 4 KiB of the
  /// worker's stack, and what the processor takes. // calls
  std::size_t max_nesting = 64;
  /// How many deliveries that failed may wait for their next attempt, 0 to 2^31; beyond it a failure
  /// is final. // deliveries
  std::size_t max_deferred = 10'000;
  /// How many schedules (publish_after, publish_at, publish_every) may exist at once, 0 to 2^31;
  /// beyond it a further one is refused. // schedules
  std::size_t max_scheduled = 100'000;
  /// Told of every failed call of an asynchronous processor, and of every scheduled event that could
  /// not be published, on the worker concerned, one call at a time per worker; also of every publish
  /// that is refused since the type has another payload or an option is out of range, on the thread
  /// that publishes, inside that call (but not of those that the handler itself causes so). What it
  /// throws is counted and dropped. Empty: failures are counted only.
  std::function<void(const ErrorReport&)> on_error = {};
  /// A call of a processor that has been running for so long is reported to `on_stall`, once, while it
  /// runs; not negative. 0 watches nothing. The bus's timer looks four times in that time at what its
  /// threads say of themselves anyway, so calls cost nothing more.
  std::chrono::nanoseconds stall_after{};
  /// Told of such a call, on the timer's thread, which has other work to do: keep it short, and do not
  /// destroy the bus in it. What it throws is counted and dropped. Empty: stalled calls are counted
  /// only.
  std::function<void(const StallReport&)> on_stall = {};
  /// Workers are named after it, with "-0", "-1" ... behind it, cut to 15 bytes.
  std::string worker_name = "gossip";
  /// Worker i runs on core worker_cores[i % size]; empty leaves the choice to the system. Linux
  /// only; refused elsewhere.
  std::vector<unsigned> worker_cores = {};
  /// Called with its index on each worker's thread before it takes the first event. What it throws
  /// is thrown by the bus's constructor.
  std::function<void(std::size_t)> on_worker_start = {};
  /// Called with its index on each worker's thread after the last event. Must not throw.
  std::function<void(std::size_t)> on_worker_stop = {};
};

/// What can be chosen for one publishing.
struct PublishOptions {
  /// Events of high priority overtake what waits with a lower one; see the README for the shares.
  Priority priority = Priority::normal;
};

/// What can be chosen for a subscription.
///
/// Asked for an order, a cap or an overflow policy of its own, a subscription gets a lane. There
/// wait, by themselves, the events that are published after subscribe() has returned; they are
/// handled in the order that was asked for, whatever their priority and whatever becomes of them at
/// other subscriptions. An event that is to be tried again holds up what is behind it: no more than
/// LaneOptions::capacity of a lane can be; beyond that a failure is final. publish_sync passes lanes
/// by: it calls the processor at once, whatever the lane orders or caps.
///
/// What it costs: a publisher of such a type goes through the type's subscriptions, and allocates
/// once. Besides what EventBus::publish says it answers what a key function throws, and
/// Errc::queue_full if a lane is full and rejects, or blocks, but the publisher is a worker that
/// finds nothing else to run (what it would wait for may be waiting for it). Nobody gets the event
/// then. Types without lanes cost what they did.
struct SubscribeOptions {
  /// Shown in errors and statistics.
  std::string name = {};
  /// Whether the processor is called for every event, or for one only.
  enum class Lifetime : std::uint8_t {
    until_cancelled,  ///< every event
    /// One event; the subscription then ends by itself. What the subscription's filter (the one that
    /// subscribe() takes, or a filtered() around all the rest) does not pass is not that event; what
    /// anything further inside leaves out, a filter behind another middleware or a rate limit, is.
    once,
  };
  Lifetime lifetime = Lifetime::until_cancelled;  ///< see Lifetime
  /// Of the processors of one event those with a higher number are called first; those with the same
  /// number in the order of subscribing. (Which event comes first is the event's priority.)
  int priority = 0;
  /// What the subscription begins with.
  enum class Start : std::uint8_t {
    with_next_event,  ///< with what is published from now on
    /// With the last event of its type, if that is retained (EventBus::retain): a worker gives it
    /// that one, before any other event that workers have for it. Each event comes once: the last one
    /// of those begun before the subscription got onto the list, then those begun later. None comes
    /// twice, none after the last is missed. (With several workers those after it may be handled at
    /// the same time as it, as any two events may. What publish_sync calls meanwhile it calls in
    /// between.) With Lifetime::once it is the one event, or, if the filter does not pass it, the
    /// next that passes. Refused for a pattern, and beside `ordering`, `max_concurrency` and `lane`.
    with_last_event,
  };
  Start start = Start::with_next_event;  ///< see Start
  /// In which order the events are handled. A key function takes the payload of the type that is
  /// subscribed to, or the event, or, for a pattern, an AnyEvent.
  Ordering ordering = {};
  /// How many events may be handled at the same time; 0 for as many as there are workers. // events
  std::size_t max_concurrency = 0;
  /// How many events may wait in the lane, and what happens to more. The default values alone ask for
  /// no lane.
  LaneOptions lane = {};
  /// Where the subscription is made: shown by EventBus::topology() and told when its processor stalls.
  /// Where these options are made, unless it is set.
  SourceLocation where = SourceLocation::current();
};

namespace detail {

/// In place of SubscribeOptions where none are given. What only options can ask for is then not
/// referred to, so a program that gives none does not compile it.
struct NoSubscribeOptions {
  // From exactly that, so that {} stands for SubscribeOptions.
  template <std::same_as<SourceLocation> Where>
  NoSubscribeOptions(const Where& place) noexcept : where{place} {}

  SourceLocation where;
};

inline Status refuse_option(const char* field, std::string_view value, const char* allowed) {
  return ValidationError{field, join({field, " is ", value, "; allowed: ", allowed})};
}

}  // namespace detail

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const BusOptions& options) {
  using detail::Decimal;
  using detail::refuse_option;
  if (options.workers > 1024) {
    return refuse_option("workers", Decimal{options.workers}, "0 to 1024");
  }
  if (options.capacity < 1 || options.capacity > (std::size_t{1} << 31U)) {
    return refuse_option("capacity", Decimal{options.capacity}, "1 to 2147483648");
  }
  if (static_cast<unsigned>(options.overflow) >
      static_cast<unsigned>(OverflowPolicy::drop_newest)) {
    return refuse_option("overflow", Decimal{static_cast<unsigned>(options.overflow)},
                         "block, reject, drop_oldest, drop_newest");
  }
  if (static_cast<unsigned>(options.timestamps) > static_cast<unsigned>(Timestamps::off)) {
    return refuse_option("timestamps", Decimal{static_cast<unsigned>(options.timestamps)},
                         "on, off");
  }
  if (static_cast<unsigned>(options.measure) > static_cast<unsigned>(Measure::times)) {
    return refuse_option("measure", Decimal{static_cast<unsigned>(options.measure)},
                         "nothing, times");
  }
  if (options.shutdown_timeout.count() < 0) {
    const auto ticks = static_cast<std::uint64_t>(options.shutdown_timeout.count());
    return refuse_option("shutdown_timeout", detail::join({"-", Decimal{0 - ticks}, " ns"}),
                         "0 or more");
  }
  if (options.stall_after.count() < 0) {
    const auto ticks = static_cast<std::uint64_t>(options.stall_after.count());
    return refuse_option("stall_after", detail::join({"-", Decimal{0 - ticks}, " ns"}),
                         "0 or more");
  }
  if (options.max_nesting < 1 || options.max_nesting > 256) {
    return refuse_option("max_nesting", Decimal{options.max_nesting}, "1 to 256");
  }
  if (options.max_deferred > (std::size_t{1} << 31U)) {
    return refuse_option("max_deferred", Decimal{options.max_deferred}, "0 to 2147483648");
  }
  if (options.max_scheduled > (std::size_t{1} << 31U)) {
    return refuse_option("max_scheduled", std::to_string(options.max_scheduled), "0 to 2147483648");
  }
#if defined(__linux__)
  // NOLINTNEXTLINE(modernize-loop-convert): iterators take longer to compile
  for (std::size_t i = 0; i < options.worker_cores.size(); ++i) {
    const unsigned core = options.worker_cores[i];
    if (core >= 1024) return refuse_option("worker_cores", Decimal{core}, "0 to 1023");
  }
#else
  if (!options.worker_cores.empty()) {
    return refuse_option("worker_cores", "set", "nothing on this platform");
  }
#endif
  return {};
}

namespace detail {

/// Whether a priority is one. Apart, since each publish asks.
[[nodiscard]] constexpr bool is_valid(Priority priority) noexcept {
  return static_cast<unsigned>(priority) <= static_cast<unsigned>(Priority::low);
}
/// Why `priority` is refused. @pre !is_valid(priority)
[[nodiscard]] inline Status refuse_priority(Priority priority) {
  return refuse_option("priority", Decimal{static_cast<unsigned>(priority)}, "high, normal, low");
}

/// True if a subscription with these options has a lane.
[[nodiscard]] inline bool wants_lane(const SubscribeOptions& options) noexcept {
  return options.ordering.kind() != Ordering::Kind::unordered || options.max_concurrency != 0 ||
         !(options.lane == LaneOptions{});
}

}  // namespace detail

/// Checks options without doing anything.
/// @return  success, or a ValidationError with the field's name, its value and what is allowed
[[nodiscard]] inline Status validate(const SubscribeOptions& options) {
  using detail::Decimal;
  using detail::refuse_option;
  if (static_cast<unsigned>(options.lifetime) >
      static_cast<unsigned>(SubscribeOptions::Lifetime::once)) {
    return refuse_option("lifetime", Decimal{static_cast<unsigned>(options.lifetime)},
                         "until_cancelled, once");
  }
  if (options.lane.capacity < 1 || options.lane.capacity > (std::size_t{1} << 20U)) {
    return refuse_option("lane.capacity", Decimal{options.lane.capacity}, "1 to 1048576");
  }
  if (static_cast<unsigned>(options.lane.overflow) >
      static_cast<unsigned>(LaneOverflow::coalesce)) {
    return refuse_option("lane.overflow", Decimal{static_cast<unsigned>(options.lane.overflow)},
                         "block, reject, drop_oldest, drop_newest, coalesce");
  }
  if (static_cast<unsigned>(options.start) >
      static_cast<unsigned>(SubscribeOptions::Start::with_last_event)) {
    return refuse_option("start", Decimal{static_cast<unsigned>(options.start)},
                         "with_next_event, with_last_event");
  }
  if (options.start == SubscribeOptions::Start::with_last_event && detail::wants_lane(options)) {
    return refuse_option("start", "with_last_event",
                         "with_next_event, beside ordering, max_concurrency or lane");
  }
  return {};
}

namespace detail {

/// Options for a Dispatcher.
/// @throws std::bad_alloc
[[nodiscard]] inline RareOwner<const BusOptions> held(BusOptions options) {
  return RareOwner<const BusOptions>{new BusOptions{std::move(options)}};
}
/// What a bus has that is given none.
[[nodiscard]] inline const BusOptions& default_options() {
  static const BusOptions& options = *new BusOptions{};  // buses of static objects may have it
  return options;
}

/// @throws std::invalid_argument  an option is out of range; names it
inline void require_valid(const SubscribeOptions& options) {
  if (const Status status = validate(options); !status.ok()) {
    throw std::invalid_argument{join({"SubscribeOptions: ", status.error()->message()})};
  }
}

}  // namespace detail

/// The number of workers that `options` ask for. // threads
[[nodiscard]] inline std::size_t worker_count(const BusOptions& options) noexcept {
  if (options.workers != 0) return options.workers;
  const unsigned cores = std::thread::hardware_concurrency();
  return cores == 0 ? 1 : cores;
}

}  // namespace gossip
