// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What is written of an entry of a stream that nobody can handle. Layer: redis.

#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/stream_fields.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace gossip::redis {

/// The stream of dead letters that belongs to a stream.
[[nodiscard]] inline std::string grave_of(const std::string& key) { return key + ".dead"; }
/// Whether it is that one.
[[nodiscard]] inline bool is_grave_of(std::string_view grave, std::string_view key) noexcept {
  return grave.starts_with(key) && grave.substr(key.size()) == ".dead";
}

/// Writes an entry to the dead letters: `dead-id`, `dead-reason` and `dead-deliveries`, then its fields as
/// they were received.
/// @param fields  none if they could not be kept, see ReplyLimits; the entry itself stays in its stream
[[nodiscard]] inline Command dead_letter(const std::string& key, const std::string& id,
                                         const Status& why, std::int64_t deliveries,
                                         const Fields& fields) {
  Command command{"XADD", grave_of(key), "*"};
  command.add("dead-id").add(id).add("dead-reason").add(std::string{why.what()});
  command.add("dead-deliveries").add(deliveries);
  for (const auto& [name, value] : fields) command.add(name).add(value);
  return command;
}

}  // namespace gossip::redis
