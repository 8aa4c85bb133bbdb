// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// How a writer is asked for more than publishing. Layer: redis.

#include <gossip/core/status.hpp>
#include <gossip/redis/reply.hpp>

#include <cstdint>
#include <functional>

namespace gossip::redis {

/// Told of the reply to a command; `lost` is success, or why there is none.
using OnAnswer = std::function<void(const Status& lost, Reply& reply)>;

/// What becomes of a command that has not been sent when the writer closes.
enum class AtTheEnd : std::uint8_t {
  dropped,  ///< its answer is no use any more
  sent,     ///< up to the deadline, since it says what has been done
};

}  // namespace gossip::redis
