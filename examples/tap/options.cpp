// SPDX-License-Identifier: MIT
#include <gossip/core/event_pattern.hpp>

#include "../program.hpp"
#include "options.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <limits>

namespace {

std::string quoted(std::string_view text) {
  std::string result{"'"};
  result += text;
  result += '\'';
  return result;
}

std::string parse_number(std::string_view option, std::string_view text, std::uint64_t most,
                         std::uint64_t& number) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && number >= 1 && number <= most) return {};
  std::string limit = most == std::numeric_limits<std::uint64_t>::max()
                          ? "above 0"
                          : "from 1 to " + std::to_string(most);
  return std::string{option} + " takes a number " + limit + ", not " + quoted(text);
}

std::string parse_from(std::string_view text, gossip::redis::RedisOptions& redis) {
  if (text == "now") {
    redis.start_at = gossip::redis::StartAt::now;
  } else if (text == "beginning") {
    redis.start_at = gossip::redis::StartAt::beginning;
  } else if (!text.empty() && text.find_first_not_of("0123456789-") == std::string_view::npos) {
    redis.start_at = gossip::redis::StartAt::id;
    redis.start_id = text;
  } else {
    return "--from takes now, beginning or a stream id, not " + quoted(text);
  }
  return {};
}

std::string parse_password(std::string_view name, gossip::redis::RedisOptions& redis) {
  const char* const password =
      std::getenv(std::string{name}.c_str());  // NOLINT(concurrency-mt-unsafe)
  if (password == nullptr) return "--password-env: there is no variable " + quoted(name);
  redis.password = password;
  return {};
}

/// An option that has a value. @return what is wrong
std::string parse_value(std::string_view option, std::string_view value, Options& options) {
  std::uint64_t number = 0;
  std::string wrong;
  if (option == "--host") {
    options.redis.host = value;
  } else if (option == "--port") {
    wrong = parse_number(option, value, 65535, number);
    options.redis.port = static_cast<std::uint16_t>(number);
  } else if (option == "--user") {
    options.redis.username = value;
  } else if (option == "--password-env") {
    wrong = parse_password(value, options.redis);
  } else if (option == "--delivery") {
    if (value != "streams" && value != "pub_sub") {
      return "--delivery takes streams or pub_sub, not " + quoted(value);
    }
    options.redis.delivery =
        value == "streams" ? gossip::redis::Delivery::streams : gossip::redis::Delivery::pub_sub;
  } else if (option == "--prefix") {
    options.redis.key_prefix = value;
  } else if (option == "--from") {
    wrong = parse_from(value, options.redis);
  } else if (option == "--count") {
    wrong = parse_number(option, value, std::numeric_limits<std::uint64_t>::max(), options.count);
  } else {
    wrong = program::no_such_option(option, usage);
  }
  return wrong;
}

}  // namespace

const char* const usage = R"(usage: tap PATTERN [OPTION...]

Shows the events of a Redis as they are published, without knowing their types.
PATTERN is that of event types: 'order.*' for one more token, 'order.>' for the
rest, '>' for all.

  --host NAME          the server's name or address (127.0.0.1)
  --port NUMBER        its port (6379)
  --user NAME          of the access control list
  --password-env NAME  the environment variable that holds the password
  --tls                talk TLS
  --delivery WHAT      streams or pub_sub (streams)
  --prefix TEXT        of keys and channels, RedisOptions::key_prefix
  --from PLACE         now, beginning, or a stream id such as 1700000000000-0 (now)
  --count NUMBER       ends after so many events
  --json               one JSON object per line
  --help, -h           this

It ends at Ctrl-C. Exit code: 0; 1 if the server cannot be used; 2 for wrong options.
)";

std::string parse(const std::vector<std::string_view>& words, Options& options) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (program::is_help(word)) {
      options.help = true;
      return {};
    }
    if (word == "--json") {
      options.json = true;
    } else if (word == "--tls") {
      options.redis.tls.enabled = true;
    } else if (word.starts_with('-')) {
      const bool has_value = i + 1 < words.size();
      std::string wrong = parse_value(word, has_value ? words[i + 1] : "1", options);
      if (wrong.find("no such option") == 0) return wrong;
      if (!has_value) return std::string{word} + " needs a value";
      if (!wrong.empty()) return wrong;
      ++i;
    } else if (options.pattern.empty()) {
      options.pattern = word;
    } else {
      return "more than one pattern: " + quoted(word);
    }
  }
  if (options.pattern.empty()) return "which events? Give a pattern, such as 'order.>'";
  const gossip::Status valid = gossip::EventPattern::check(options.pattern);
  return valid.ok() ? std::string{} : std::string{valid.error()->message()};
}
