// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What the errors that Redis answers mean to gossip. Layer: redis.

#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/text.hpp>
#include <gossip/redis/reply.hpp>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>

namespace gossip::redis {

/// What to do about an error reply.
enum class ErrorClass : std::uint8_t {
  none,            ///< no error
  retry,           ///< the server cannot now and may later: OOM, BUSY, ...
  reconnect,       ///< this server is no use now: READONLY, MASTERDOWN, LOADING, ...
  no_group,        ///< the stream or its group is gone: NOGROUP, UNBLOCKED
  wrong_type,      ///< the key holds something else: fatal for that event type alone
  denied,          ///< NOPERM: a right is missing
  authentication,  ///< WRONGPASS, NOAUTH: fatal
  other,           ///< a mistake in the command, or unknown
};

/// The class of a reply. By the word that begins an error, never by its prose.
[[nodiscard]] inline ErrorClass class_of(const Reply& reply) noexcept {
  if (!reply.is_error()) return ErrorClass::none;
  struct Known {
    std::string_view code;
    ErrorClass means;
  };
  static constexpr Known known[] = {
      {"OOM", ErrorClass::retry},
      {"BUSY", ErrorClass::retry},
      {"TRYAGAIN", ErrorClass::retry},
      {"NOREPLICAS", ErrorClass::retry},
      {"MISCONF", ErrorClass::retry},
      {"CLUSTERDOWN", ErrorClass::retry},
      {"READONLY", ErrorClass::reconnect},
      {"MASTERDOWN", ErrorClass::reconnect},
      {"LOADING", ErrorClass::reconnect},
      {"NOGROUP", ErrorClass::no_group},
      {"UNBLOCKED", ErrorClass::no_group},
      {"WRONGTYPE", ErrorClass::wrong_type},
      {"NOPERM", ErrorClass::denied},
      {"WRONGPASS", ErrorClass::authentication},
      {"NOAUTH", ErrorClass::authentication},
  };
  const std::string_view code = reply.error_code();
  for (const Known& entry : known) {
    if (entry.code == code) return entry.means;
  }
  return ErrorClass::other;
}

/// An error reply as a gossip error: retryable where trying again can help, fatal where it cannot.
/// Success for every other reply.
/// @param doing  what was asked, such as "XADD"; no secrets
/// @param what   of what, such as the key; may be empty
/// @throws nothing: where memory runs out it is an error of that kind without a text
[[nodiscard]] inline Status status_of(const Reply& reply, std::string_view doing,
                                      std::string_view what = {}) noexcept {
  bool retryable = false;
  switch (class_of(reply)) {
    case ErrorClass::none: return {};
    case ErrorClass::retry:
    case ErrorClass::reconnect:
    case ErrorClass::no_group: retryable = true; break;
    case ErrorClass::wrong_type:
    case ErrorClass::denied:
    case ErrorClass::authentication:
    case ErrorClass::other: break;
  }
  try {
    std::string message =
        gossip::detail::join({"redis: ", doing, what.empty() ? "" : " ", what, ": ", reply.text});
    if (retryable) return RetryableError{std::move(message)};
    return FatalError{std::move(message)};
  } catch (const std::bad_alloc&) {
    return retryable ? Errc::retryable : Errc::fatal;
  }
}

}  // namespace gossip::redis
