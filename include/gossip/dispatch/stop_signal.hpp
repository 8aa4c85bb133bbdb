// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StopSignal: how running processors hear that their bus stops. Layer: dispatch.

#include <gossip/core/rare_owner.hpp>

#include <mutex>
#include <stop_token>
#include <utility>

namespace gossip::detail {

/// A stop_source that exists once somebody can hear of it. A program in which nobody can, for no
/// processor takes a Context, does not compile one.
///
/// Thread safety: any thread.
class StopSignal {
 public:
  /// From now on token() tells of a request. Idempotent. To be called before somebody looks at token().
  /// @throws std::bad_alloc
  void arm() {
    const std::lock_guard lock{mutex_};
    if (source_) return;
    RareOwner<std::stop_source> source{new std::stop_source};
    token_ = source->get_token();
    request_ = [](std::stop_source& of) noexcept { of.request_stop(); };
    if (requested_) request_(*source);  // of which nobody has a token yet
    source_ = std::move(source);
  }

  /// Requests a stop, for good. Callbacks run on this thread, outside the lock.
  void request() noexcept {
    std::stop_source* source = nullptr;
    {
      const std::lock_guard lock{mutex_};
      requested_ = true;
      source = source_.get();
    }
    if (source != nullptr) request_(*source);
  }

  /// @pre arm(), for whoever reads more than its address
  [[nodiscard]] const std::stop_token& token() const noexcept { return token_; }

 private:
  std::mutex mutex_;
  bool requested_ = false;
  RareOwner<std::stop_source> source_;
  void (*request_)(std::stop_source& source) noexcept = nullptr;  ///< set with `source_`
  std::stop_token token_;                                         ///< of `source_`
};

}  // namespace gossip::detail
