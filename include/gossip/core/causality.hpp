// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Causality: which event led to which, and how that is written into metadata. Layer: core.

#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace gossip {

/// The metadata key of what all events that go back to the same first one have in common: the id of
/// that one as text, or what it was given itself.
inline constexpr std::string_view correlation_id_key = "correlation_id";
/// The metadata key of the id, as text, of the event during whose processing an event was published.
inline constexpr std::string_view causation_id_key = "causation_id";

namespace detail {

/// An event whose consequences are told about it.
struct Cause {
  explicit Cause(const EventBase& cause) noexcept;

  const EventBase& event;
  /// See extras_of_cause(). A pointer, so that only those who correlate compile what is behind it.
  Owner<EventExtras> (*extras)();
};

/// The cause that this thread processes inside a correlate(); null for none. Whoever publishes looks
/// at it, so it is of trivial type and costs no more than a variable.
inline constinit thread_local const Cause* current_cause = nullptr;

/// Sets the current cause while it lives.
class CauseScope {
 public:
  /// @param cause  outlives the scope; null for none
  explicit CauseScope(const Cause* cause) noexcept : outer_{std::exchange(current_cause, cause)} {}
  CauseScope(const CauseScope&) = delete;
  CauseScope& operator=(const CauseScope&) = delete;
  ~CauseScope() { current_cause = outer_; }

 private:
  const Cause* outer_;
};

/// Adds what is known of the current cause, but to keys that are there already.
/// @pre    there is one
/// @throws std::bad_alloc, std::system_error (no source of randomness)
inline void add_cause(Metadata& metadata) {
  const EventBase& cause = current_cause->event;
  if (!metadata.contains(correlation_id_key)) {
    const MetadataValue* inherited = cause.metadata().find(correlation_id_key);
    metadata.set(std::string{correlation_id_key},
                 inherited != nullptr ? *inherited : MetadataValue{to_string(cause.id())});
  }
  if (!metadata.contains(causation_id_key)) {
    metadata.set(std::string{causation_id_key}, to_string(cause.id()));
  }
}

/// For an event that is being published without metadata: what the current cause gives it.
/// @return null if there is none
/// @throws as add_cause()
inline Owner<EventExtras> extras_of_cause() {
  if (current_cause == nullptr) [[likely]]
    return {};
  return current_cause->extras();
}

inline Cause::Cause(const EventBase& cause) noexcept
    : event{cause}, extras{[] {
        Owner<EventExtras> fresh{new EventExtras};
        fresh->metadata.reset(new Metadata);
        add_cause(*fresh->metadata);
        return fresh;
      }} {}

}  // namespace detail
}  // namespace gossip
