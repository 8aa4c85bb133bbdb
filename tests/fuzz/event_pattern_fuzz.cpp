// SPDX-License-Identifier: MIT
// The input is a pattern, a line end, and a text that the pattern is matched with.
#include <gossip/core/event_pattern.hpp>

#include "support/pattern_reference.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using gossip::EventPattern;

void require(bool condition) {
  if (!condition) std::abort();
}

/// The error says where `text` is wrong: what comes before can still become a pattern, what comes up
/// to it cannot.
void check_position(std::string_view text, const gossip::Status& status) {
  const auto* error = gossip::find_error<gossip::ValidationError>(status);
  require(error != nullptr);
  const std::string& message = error->message();
  constexpr std::string_view mark{"\": invalid at byte "};
  const std::size_t at = message.rfind(mark);
  require(at != std::string::npos);
  const std::size_t position = std::stoul(message.substr(at + mark.size()));
  require(position <= text.size());
  std::string before{text.substr(0, position)};
  require(before.size() <= 255);
  if (before.size() == 255 && before.back() == '.') before.pop_back();
  require(gossip::test::reference_is_pattern(before) ||
          gossip::test::reference_is_pattern(before + "a"));
  if (position == text.size()) return;
  const std::string up_to{text.substr(0, position + 1)};
  require(!gossip::test::reference_is_pattern(up_to) &&
          !gossip::test::reference_is_pattern(up_to + "a"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::string_view text = input.substr(0, input.find('\n'));
  const std::string_view name =
      text.size() == input.size() ? std::string_view{} : input.substr(text.size() + 1);

  const gossip::Status status = EventPattern::check(text);
  require(status.ok() == gossip::test::reference_is_pattern(text));
  if (!status.ok()) {
    check_position(text, status);
    try {
      static_cast<void>(EventPattern{text});
      std::abort();
    } catch (const gossip::ValidationError& error) {
      require(error.message() == status.error()->message());
    }
    return 0;
  }
  const EventPattern pattern{text};
  require(pattern.text() == text);
  require(pattern.is_exact() == gossip::test::reference_is_name(text));
  require(!pattern.is_exact() || pattern.matches(text));
  const bool matches = pattern.matches(name);
  require(!pattern.is_exact() || matches == (name == text));
  require(matches == gossip::test::reference_matches(text, name));
  return 0;
}
