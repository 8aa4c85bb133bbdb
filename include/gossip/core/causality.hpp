// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Causality: which event led to which, and how that is written into metadata. Layer: core.

#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/metadata.hpp>

#include <memory>
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

/// The event that this thread processes inside a correlate(); null for none. Whoever publishes looks
/// at it, so it is of trivial type and costs no more than a variable.
inline constinit thread_local const EventBase* current_cause = nullptr;

/// Sets the current cause while it lives.
class CauseScope {
 public:
  explicit CauseScope(const EventBase* cause) noexcept
      : outer_{std::exchange(current_cause, cause)} {}
  CauseScope(const CauseScope&) = delete;
  CauseScope& operator=(const CauseScope&) = delete;
  ~CauseScope() { current_cause = outer_; }

 private:
  const EventBase* outer_;
};

/// Adds what is known of the current cause, but to keys that are there already.
/// @pre    there is one
/// @throws std::bad_alloc, std::system_error (no source of randomness)
inline void add_cause(Metadata& metadata) {
  const EventBase& cause = *current_cause;
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
inline std::unique_ptr<EventExtras> extras_of_cause() {
  if (current_cause == nullptr) [[likely]]
    return nullptr;
  auto extras = std::make_unique<EventExtras>();
  extras->metadata = std::make_unique<Metadata>();
  add_cause(*extras->metadata);
  return extras;
}

}  // namespace detail
}  // namespace gossip
