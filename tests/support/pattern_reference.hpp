// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// What an EventPattern should do, written as plainly as possible and not for speed.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gossip::test {

/// The tokens between the dots; one more than there are dots.
inline std::vector<std::string> tokens_of(std::string_view text) {
  std::vector<std::string> tokens(1);
  for (const char c : text) {
    if (c == '.') {
      tokens.emplace_back();
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

/// True if `text` is the name of an event type.
inline bool reference_is_name(std::string_view text) {
  if (text.size() > 255) return false;
  for (const std::string& token : tokens_of(text)) {
    if (token.empty()) return false;
    for (const char c : token) {
      constexpr std::string_view allowed{
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"};
      if (allowed.find(c) == std::string_view::npos) return false;
    }
  }
  return true;
}

/// True if `text` is a pattern: one whose wildcards may be replaced by a token to give a name.
inline bool reference_is_pattern(std::string_view text) {
  const std::vector<std::string> tokens = tokens_of(text);
  std::string name;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool wildcard = tokens[i] == "*" || (tokens[i] == ">" && i + 1 == tokens.size());
    if (i != 0) name += '.';
    name += wildcard ? std::string{"x"} : tokens[i];
  }
  return reference_is_name(name);
}

/// True if the pattern matches the name, which may be any text. @pre the pattern is valid
inline bool reference_matches(std::string_view pattern, std::string_view name) {
  const std::vector<std::string> want = tokens_of(pattern);
  const std::vector<std::string> have = tokens_of(name);
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (i == have.size()) return false;
    if (want[i] == ">") return i + 1 < have.size() || !have[i].empty();
    if (want[i] == "*" ? have[i].empty() : want[i] != have[i]) return false;
  }
  return want.size() == have.size();
}

}  // namespace gossip::test
