// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// logging: tells a sink what came of each call of a processor. Layer: processing.

#include <gossip/core/chrono.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace gossip {

/// One call of a processor, as a log sink is told. Refers to what is being handled: copy what you
/// keep.
struct LogRecord {
  std::string_view message;            ///< what was given to logging(); empty if nothing was
  std::string_view event_type;         ///< such as "auth.user.created"
  SubscriptionId subscription;         ///< whose processor was called
  std::string_view subscription_name;  ///< SubscribeOptions::name
  unsigned attempt;                    ///< 1 for the first call for this event
  std::chrono::nanoseconds duration;   ///< of the call, by the bus's clock
  const Status& status;                ///< what came of it
  bool deferred;                       ///< it failed, and another attempt has been arranged
  const void* event;                   ///< for event_id()
  EventId (*id_of)(const void*);       ///< for event_id()

  /// The event's identity. Made when first asked for, so it costs nothing when unused.
  /// @throws std::system_error  the operating system has no source of randomness
  [[nodiscard]] EventId event_id() const { return id_of(event); }
};

/// The record as one line of text without its end: the message, then `name=value` for each field.
/// Characters that would end the line become spaces.
/// @throws std::bad_alloc, and as event_id()
[[nodiscard]] inline std::string to_string(const LogRecord& record) {
  std::string line{record.message};
  const auto add = [&line](const char* name, std::string_view value) {
    if (!line.empty()) line += ' ';
    line += name;
    line += '=';
    line += value;
  };
  add("event", record.event_type);
  add("id", to_string(record.event_id()));
  add("subscription", std::to_string(record.subscription.serial));
  if (!record.subscription_name.empty()) add("name", record.subscription_name);
  add("attempt", std::to_string(record.attempt));
  add("duration_ns", std::to_string(record.duration.count()));
  add("outcome", record.status.ok() ? "ok" : record.deferred ? "deferred" : "failed");
  if (!record.status.ok()) add("error", record.status.what());
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return line;
}

/// What logging() tells about calls: callable, also where it is const, with a `const LogRecord&`.
/// Semantic requirement: calls from several workers at once are safe; no lock is held around them.
template <class S>
concept LogSink = std::copy_constructible<S> && std::invocable<const S&, const LogRecord&>;

/// A sink that wants to know nothing: logging(null_sink) is compiled into nothing, and the clock is
/// not read.
struct NullSink {
  /// Does nothing.
  constexpr void operator()(const LogRecord&) const noexcept {}
};
/// For logging(null_sink).
inline constexpr NullSink null_sink{};

/// A sink that writes a line for each call; made by log_to().
template <class Stream>
class StreamSink {
 public:
  /// @param stream  outlives the sink
  explicit StreamSink(Stream& stream) noexcept : stream_{&stream} {}

  /// Writes the line.
  void operator()(const LogRecord& record) const {
    std::string line = to_string(record);
    line += '\n';
    *stream_ << line;
  }

 private:
  Stream* stream_;
};

/// A sink that writes `to_string(record)` and a newline to `stream`, with one `stream << std::string`
/// per call, whatever the stream does with it.
/// @param stream       outlives the sink. Several workers write at once: std::cout, std::cerr and
///                     std::clog allow that, a file stream does not, unless the bus has one worker
/// @par Blocking       as the stream
/// @par Complexity     one allocation per line or so
template <class Stream>
  requires requires(Stream& stream, const std::string& line) { stream << line; }
[[nodiscard]] StreamSink<Stream> log_to(Stream& stream) noexcept {
  return StreamSink<Stream>{stream};
}

namespace detail {

/// A processor made by logging().
template <class Next, class Sink>
class Logging {
 public:
  static constexpr const char* middleware_name = "logging";
  using wrapped_type = Next;

  Logging(Sink sink, std::string message, Next next)
      : sink_(std::move(sink)), message_{std::move(message)}, next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) {
    const SteadyTime start = context.now();
    return handle_observed(next_, event, context, [&](const Status& status) {
      const LogRecord record{message_,
                             event.type(),
                             context.subscription(),
                             context.subscription_name(),
                             context.attempt(),
                             context.now() - start,
                             status,
                             !status.ok() && context.deferred(),
                             &event,
                             [](const void* e) { return static_cast<const E*>(e)->id(); }};
      std::as_const(sink_)(record);
    });
  }

 private:
  [[no_unique_address]] Sink sink_;
  std::string message_;
  Next next_;
};

template <class Sink>
class LoggingMiddleware : public MiddlewareBase {
 public:
  LoggingMiddleware(Sink sink, std::string message)
      : sink_(std::move(sink)), message_{std::move(message)} {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    if constexpr (std::same_as<Sink, NullSink>) {
      return next;
    } else {
      return Logging<P, Sink>{sink_, message_, std::move(next)};
    }
  }

 private:
  [[no_unique_address]] Sink sink_;
  std::string message_;
};

}  // namespace detail

/// A middleware that tells `sink` about each call of its processor, after it, on the same thread.
/// The status and what the processor throws pass through unchanged. Each attempt of an event that is
/// retried further in is a call of its own.
///
/// Example: examples/processing/composing.cpp.
///
/// @param sink         see LogSink; copied into each processor. What it throws takes the place of the
///                     call's outcome
/// @param message      part of each record; never grows
/// @throws             std::bad_alloc, and what moving the sink throws
/// @par Blocking       never by itself
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1): the clock is read twice per call; no allocation unless the processor
///                     throws. With null_sink nothing at all
template <LogSink Sink>
[[nodiscard]] detail::LoggingMiddleware<Sink> logging(Sink sink, std::string message = {}) {
  return {std::move(sink), std::move(message)};
}

}  // namespace gossip
