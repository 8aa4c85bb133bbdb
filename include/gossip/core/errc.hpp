// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Errc: every kind of failure gossip knows, as a std::error_code. Layer: core.

#include <string>
#include <system_error>

namespace gossip {

/// What went wrong. The first nine are the kinds of error a processor reports; the rest are
/// outcomes of publishing and of the bus's life.
enum class Errc {
  retryable = 1,           ///< failed now, may succeed when tried again
  validation_failed,       ///< the data breaks a rule; trying again cannot help
  processing_failed,       ///< a processor failed, or threw an exception of its own
  timeout,                 ///< a deadline passed
  fatal,                   ///< never try again
  type_assertion_failed,   ///< a payload is not of the type that was asked for
  nil_data,                ///< an event has no data where data is needed
  invalid_event,           ///< an event breaks the rules of events
  unsupported_event_type,  ///< a processor was given an event type that it does not handle
  queue_full,              ///< no space, and the overflow policy is not to wait
  closed,                  ///< the bus has been shut down
  cancelled,               ///< a stop was requested
};

namespace detail {

class ErrcCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "gossip"; }

  std::string message(int value) const override { return text(value); }

  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<Errc>(value)) {
      case Errc::timeout: return std::errc::timed_out;
      case Errc::cancelled: return std::errc::operation_canceled;
      case Errc::queue_full: return std::errc::no_buffer_space;
      default: return {value, *this};
    }
  }

  static const char* text(int value) noexcept {
    switch (static_cast<Errc>(value)) {
      case Errc::retryable: return "retryable error";
      case Errc::validation_failed: return "validation failed";
      case Errc::processing_failed: return "processing failed";
      case Errc::timeout: return "timed out";
      case Errc::fatal: return "fatal error";
      case Errc::type_assertion_failed: return "type assertion failed";
      case Errc::nil_data: return "no data";
      case Errc::invalid_event: return "invalid event";
      case Errc::unsupported_event_type: return "unsupported event type";
      case Errc::queue_full: return "queue full";
      case Errc::closed: return "bus closed";
      case Errc::cancelled: return "cancelled";
    }
    return "unknown gossip error";
  }
};

}  // namespace detail

/// The category of gossip's error codes; its name is "gossip".
/// @throws nothing
/// @par Thread safety any thread
[[nodiscard]] inline const std::error_category& errc_category() noexcept {
  static const detail::ErrcCategory category;
  return category;
}

/// Makes `Errc` usable wherever a std::error_code is.
/// @throws nothing
/// @par Thread safety any thread
[[nodiscard]] inline std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), errc_category()};
}

/// A short sentence fragment for `code`, such as "queue full"; static storage.
/// @throws nothing
/// @par Thread safety any thread
[[nodiscard]] inline const char* to_string(Errc code) noexcept {
  return detail::ErrcCategory::text(static_cast<int>(code));
}

}  // namespace gossip

template <>
struct std::is_error_code_enum<gossip::Errc> : std::true_type {};
