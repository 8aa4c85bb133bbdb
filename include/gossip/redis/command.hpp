// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Command: a request to Redis. Layer: redis.

#include <gossip/redis/resp.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// A command with its arguments, each any bytes; built by chaining.
///
/// Thread safety: as a std::vector.
class Command {
 public:
  /// @param words  the command and its first arguments
  Command(std::initializer_list<std::string_view> words) {
    arguments_.reserve(words.size());
    for (const std::string_view word : words) arguments_.emplace_back(word);
  }

  /// Adds an argument.
  /// @{
  Command& add(std::string argument) {
    arguments_.push_back(std::move(argument));
    return *this;
  }
  Command& add(std::int64_t number) { return add(std::to_string(number)); }
  /// @}

  /// Its name and what follows it.
  [[nodiscard]] const std::vector<std::string>& arguments() const noexcept { return arguments_; }
  /// The command's name, such as "XADD".
  [[nodiscard]] const std::string& name() const noexcept { return arguments_.front(); }

  /// Appends the command as it goes over the wire (RESP: an array of bulk strings).
  void append_to(std::string& wire) const {
    append_head(wire, '*', arguments_.size());
    for (const std::string& argument : arguments_) append_bulk(wire, argument);
  }

  [[nodiscard]] friend bool operator==(const Command&, const Command&) = default;

 private:
  std::vector<std::string> arguments_;
};

}  // namespace gossip::redis
