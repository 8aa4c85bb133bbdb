// SPDX-License-Identifier: MIT
// Shows the events of a Redis as they are published, without knowing their types.
#include <gossip/core/event_pattern.hpp>
#include <gossip/json/codecs.hpp>
#include <gossip/redis/rfc3339.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/tap.hpp>

#include "../program.hpp"
#include "options.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using gossip::redis::TappedEvent;
using nlohmann::json;

/// The payload as JSON, if it is; else a text, in which bytes that are no UTF-8 are replaced.
json payload_of(const TappedEvent& tapped) {
  std::optional<json> data;  // the codec refuses what is nested too deep to be written again
  return gossip::JsonCodec::decode<json>(tapped.event.data, data).ok() ? std::move(*data)
                                                                       : json(tapped.event.data);
}
std::string text_of(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string time_of(const TappedEvent& tapped) {
  std::string time;
  gossip::redis::append_time(tapped.event.time_ns, time);
  return time;
}

/// One event in one line.
void print_json(const TappedEvent& tapped) {
  json line{{"name", tapped.name}, {"size", tapped.event.data.size()}};
  if (!tapped.place.empty()) line["place"] = tapped.place;
  if (tapped.status.ok()) {
    line["id"] = tapped.event.id;
    line["time"] = time_of(tapped);
    line["content_type"] = tapped.event.content_type;
    for (const auto& [key, value] : tapped.event.metadata) {
      line["metadata"][key] = gossip::redis::json_of_metadata(value);
    }
  } else {
    line["error"] = tapped.status.what();
  }
  line["data"] = payload_of(tapped);
  std::cout << text_of(line, -1) << '\n' << std::flush;
}

/// A text that does not command a terminal: others have written what is in it.
std::string harmless(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto before = i == 0 ? '\0' : text[i - 1];
    const bool second_half = before == '\xc2' && byte >= 0x80 && byte < 0xa0;  // U+0080 to U+009F
    if (second_half) text[i - 1] = '?';
    if (second_half || byte < 0x20 || byte == 0x7f) text[i] = '?';
  }
  return text;
}

/// A head, then the payload, indented.
void print_text(const TappedEvent& tapped) {
  if (tapped.status.ok()) std::cout << time_of(tapped) << "  ";
  std::cout << harmless(tapped.name) << "  " << tapped.event.data.size() << " bytes";
  if (!tapped.event.id.empty()) std::cout << "  id " << harmless(tapped.event.id);
  std::cout << '\n';
  if (!tapped.status.ok()) {
    std::cout << "    unreadable: " << harmless(std::string{tapped.status.what()}) << '\n';
  }
  for (const auto& [key, value] : tapped.event.metadata) {
    const std::string shown = text_of(gossip::redis::json_of_metadata(value), -1);
    std::cout << "    " << harmless(key) << ": " << harmless(shown) << '\n';
  }
  // Line by line: line feeds of the payload itself are escaped.
  const std::string text = text_of(payload_of(tapped), 2);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::cout << "    " << harmless(text.substr(at, end - at)) << '\n';
    at = end + 1;
  }
  std::cout << std::flush;
}

/// Ends the program's wait, from any thread.
void wake_main() { ::kill(::getpid(), SIGTERM); }

int watch(Options options) {
  // Signals are waited for; they interrupt nobody.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::atomic<bool> failed{false};
  std::atomic<bool> begun{false};
  std::uint64_t shown = 0;  // by the tap's thread
  options.redis.on_state = [&](gossip::redis::State state, const gossip::Status& why) {
    if (state == gossip::redis::State::ready) begun = true;
    if (why.ok()) return;
    std::cerr << "tap: " << harmless(std::string{why.what()}) << (begun ? "; trying again" : "")
              << '\n';
    if (!begun && !failed.exchange(true)) wake_main();
  };
  options.redis.on_gap = [](const gossip::redis::Gap& gap) {
    std::cerr << "tap: events may have been missed: " << gap.reason << '\n';
  };
  // [tap]
  gossip::redis::RedisTap tap{options.redis, gossip::EventPattern{options.pattern},
                              [&](const TappedEvent& event) {
                                if (options.count != 0 && shown == options.count) return;
                                options.json ? print_json(event) : print_text(event);
                                if (++shown == options.count || !std::cout) wake_main();
                              }};
  tap.start();
  // [/tap]
  int signal = 0;
  sigwait(&signals, &signal);
  tap.close();
  return failed ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
  return program::finish("tap", [&] {
    Options options;
    const std::vector<std::string_view> words(arguments + 1, arguments + count);
    if (const std::string wrong = parse(words, options); !wrong.empty()) {
      std::cerr << "tap: " << wrong << "\ntry tap --help\n";
      return 2;
    }
    if (!options.help) return watch(std::move(options));
    std::cout << usage;
    return 0;
  });
}
