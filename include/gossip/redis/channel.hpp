// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Channel: what a reader knows of a channel of Pub/Sub. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/inbound.hpp>

#include <cstddef>
#include <utility>

namespace gossip::redis {

/// What is wanted of a channel, what the server has been asked, and what it has said.
///
/// Thread safety: none.
struct Channel {
  Subscribed subscribed;       ///< what becomes of its messages
  bool wanted = false;         ///< somebody is subscribed, or about to be
  bool relied_on = false;      ///< by who has subscribed and was not refused
  bool changed = false;        ///< the server has yet to be told
  bool confirmed = false;      ///< the server listens for us, as of its last answer
  bool missed = false;         ///< events may have been missed since the last report
  bool denied = false;         ///< the refusal has been told
  std::size_t unanswered = 0;  ///< questions
  std::size_t beginning = 0;   ///< are told of a refusal by subscribe() // threads
  std::size_t ending = 0;      ///< are in unsubscribe() // threads
  Status refusal;              ///< the last answer, if it was one
  SteadyTime not_before{};     ///< when to ask again, if the server refuses

  /// True if the server has answered all that there is to say.
  [[nodiscard]] bool settled() const noexcept { return !changed && unanswered == 0; }
  /// True if the server has said no, and it matters.
  [[nodiscard]] bool is_refused() const noexcept { return wanted && settled() && !refusal.ok(); }
  /// True if nobody has anything to do with it any more, the server neither.
  [[nodiscard]] bool is_over() const noexcept {
    return !wanted && !confirmed && settled() && beginning == 0 && ending == 0;
  }

  /// Takes the answer to a question.
  /// @return  whether that is to be told: it is new, and nobody learns it by subscribe()
  bool answered(bool subscribed_now, const Status& why) {
    missed = missed || (subscribed_now && !refusal.ok());
    if (why.ok()) confirmed = subscribed_now;
    refusal = why;
    --unanswered;
    if (!why.ok() && beginning != 0 && !relied_on) return false;
    const bool is_denied = !why.ok();
    return std::exchange(denied, is_denied) != is_denied;
  }
  /// The connection is lost.
  void lost() noexcept {
    missed = missed || wanted;
    confirmed = false;
    unanswered = 0;
  }
};

}  // namespace gossip::redis
