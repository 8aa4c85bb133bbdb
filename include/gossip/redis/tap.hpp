// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// RedisTap: watches the events of a Redis without knowing their payload types. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/framed_fields.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/tell.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/wire_text.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::redis {

/// An event as a tap sees it.
struct TappedEvent {
  std::string name;   ///< of its stream or channel, without RedisOptions::key_prefix
  std::string place;  ///< its id within the stream; empty with Pub/Sub
  WireEvent event;    ///< its parts; with only `data`, if it could not be read
  Status status;      ///< why it could not be read
};

/// Text in which glob patterns of Redis find nothing special.
/// @throws std::bad_alloc
[[nodiscard]] inline std::string glob_literal(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view{"*?[]\\^-"}.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Reads every event whose type matches a pattern, and disturbs nobody: no group, no acknowledgement.
/// With streams it looks for matching ones each half second (SCAN), follows those from where
/// RedisOptions::start_at says, and those that come later from their beginning; entries that are trimmed
/// before they are read are missed. With Pub/Sub it hears what is published while it is connected, and
/// tells RedisOptions::on_gap after a loss, once it hears again. RedisOptions::on_state says `ready` when
/// it has begun.
///
/// Example: examples/tap/main.cpp.
///
/// Ownership: of its connection and its thread; the destructor ends both. Thread safety: start and close
/// from one thread.
class RedisTap {
 public:
  /// Told of each event, on the tap's thread.
  using OnEvent = std::function<void(const TappedEvent& event)>;

  /// @throws std::invalid_argument  an option is out of range; names it
  RedisTap(RedisOptions options, const EventPattern& pattern, OnEvent on_event)
      : options_{checked(std::move(options))},
        pattern_{pattern},
        on_event_{std::move(on_event)},
        link_{options_, *this, false, options_.delivery == Delivery::pub_sub} {
    const std::string_view text = pattern_.text();
    glob_ = glob_literal(options_.key_prefix);
    glob_ += glob_literal(text.substr(0, text.find_first_of("*>")));
    if (!pattern_.is_exact()) glob_ += '*';
  }
  RedisTap(const RedisTap&) = delete;
  RedisTap& operator=(const RedisTap&) = delete;
  ~RedisTap() { close(); }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }
  /// Ends; calls nobody afterwards. Not from within a callback. Idempotent.
  void close() { link_.close(std::chrono::steady_clock::now()); }

  /// What Link asks of its client, on its own thread.
  /// @{
  void on_ready() {
    next_scan_ = {};
    cursor_ = "0";
    keys_asked_ = most_keys;
    swept_.clear();
    listening_ = false;
    not_before_ = {};
  }
  void on_lost(const Status&) noexcept {
    waiting_ = false;
    missed_ = options_.delivery == Delivery::pub_sub;
  }
  void on_state(State state, const Status& why) {
    if (state == State::ready) return;  // not before it listens
    begun_ = false;
    tell(options_.on_state, state, why);
  }
  SteadyTime on_turn() {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (!link_.ready() || waiting_) return SteadyTime::max();
    if (options_.delivery == Delivery::pub_sub) {
      if (!listening_ && now < not_before_) return not_before_;
      if (!std::exchange(listening_, true)) {
        link_.send(Command{"PSUBSCRIBE", glob_}, {&on_listening, this, 0});
      }
      return SteadyTime::max();
    }
    if (now < not_before_) return not_before_;
    if (now >= next_scan_) {
      Command scan{"SCAN", cursor_, "MATCH", glob_, "COUNT"};
      return ask(scan.add(keys_asked_).add("TYPE").add("stream"), &RedisTap::take_keys);
    }
    for (const auto& [key, place] : places_) {
      if (place.empty()) {
        asked_ = key;
        return ask(Command{"XREVRANGE", key, "+", "-", "COUNT", "1"}, &RedisTap::take_end);
      }
    }
    if (places_.empty()) refused_ = false;
    if (!refused_) tell_begun();
    if (places_.empty()) return next_scan_;
    const auto block = std::chrono::ceil<std::chrono::milliseconds>(next_scan_ - now);
    Command read{"XREAD", "COUNT"};
    // Of all streams together, or one of each: what ReplyLimits reckon with.
    read.add(static_cast<std::int64_t>(std::max(options_.read_count / places_.size(), one)));
    read.add("BLOCK").add(std::int64_t{std::min(block, options_.block).count()}).add("STREAMS");
    for (const auto& entry : places_) read.add(entry.first);
    for (const auto& entry : places_) read.add(entry.second);
    return ask(read, &RedisTap::take_entries);
  }
  [[nodiscard]] bool has_work() const { return false; }
  [[nodiscard]] bool drained() const { return true; }
  void on_push(Reply& reply) {
    if (reply.items.size() != 4 || reply.items[0].text != "pmessage") return;
    TappedEvent tapped{name_of(reply.items[2].text), {}, {}, {}};
    if (!pattern_.matches(tapped.name)) return;
    tapped.status = decode_text(options_, reply.items[3].text, tapped.event);
    if (!tapped.status.ok()) tapped.event.data = std::move(reply.items[3].text);
    tell(on_event_, tapped);
  }
  /// @}

 private:
  using Take = void (RedisTap::*)(Reply& reply);
  static constexpr std::chrono::milliseconds scan_interval{500};
  static constexpr std::size_t one = 1;            // entry
  static constexpr std::int64_t most_keys = 1000;  // looked at for one answer

  static RedisOptions checked(RedisOptions options) {
    if (const Status status = validate(options); !status.ok()) {
      std::string text{"RedisOptions: "};
      text += status.error()->message();
      throw std::invalid_argument{text};
    }
    return options;
  }

  SteadyTime ask(const Command& command, Take take) {
    waiting_ = true;
    take_ = take;
    link_.send(command, {&on_answer, this, 0});
    return SteadyTime::max();
  }
  static void on_answer(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<RedisTap*>(context);
    self.waiting_ = false;
    if (!lost.ok()) return;
    if (!reply.is_error()) return (self.*self.take_)(reply);
    self.next_scan_ = self.not_before_ = std::chrono::steady_clock::now() + scan_interval;
    self.cursor_ = "0";
    if (!self.asked_.empty()) self.places_.erase(std::exchange(self.asked_, {}));
    if (!std::exchange(self.refused_, true)) self.trouble(status_of(reply, "watching", self.glob_));
  }
  void trouble(const Status& why) {
    begun_ = false;
    tell(options_.on_state, State::degraded, why);
  }
  /// Once it hears again: who reads now what he may have missed misses nothing more.
  void tell_of_gap() {
    if (!missed_) return;
    // First: for want of memory it is not forgotten.
    const Gap gap{"", "the connection was lost", 0};
    missed_ = false;
    tell(options_.on_gap, gap);
  }
  static void on_listening(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<RedisTap*>(context);
    if (!lost.ok()) return;
    if (reply.is_error()) return self.refuse(reply);
    self.refused_ = false;
    self.tell_of_gap();
    self.tell_begun();
  }
  /// Asks again before long, and tells it once.
  void refuse(const Reply& reply) {
    listening_ = false;
    not_before_ = std::chrono::steady_clock::now() + options_.back_off_cap;
    if (!std::exchange(refused_, true)) trouble(status_of(reply, "PSUBSCRIBE", glob_));
  }
  void tell_begun() {
    if (!std::exchange(begun_, true)) tell(options_.on_state, State::ready, Status{});
  }

  [[nodiscard]] std::string name_of(const std::string& key) const {
    return key.substr(std::min(key.size(), options_.key_prefix.size()));
  }

  void take_keys(Reply& reply) {
    if (reply.items.size() != 2) return;
    if (reply.items[1].truncated && keys_asked_ > 1) {
      keys_asked_ /= 2;  // from the same place again
      return;
    }
    for (Reply& key : reply.items[1].items) {
      if (pattern_.matches(name_of(key.text))) swept_.insert(std::move(key.text));
    }
    cursor_ = std::move(reply.items[0].text);
    if (cursor_ != "0") return;
    next_scan_ = std::chrono::steady_clock::now() + scan_interval;
    std::erase_if(places_, [&](const auto& entry) { return !swept_.contains(entry.first); });
    for (const std::string& key : swept_) places_.emplace(key, swept_once_ ? "0" : first_place());
    swept_.clear();
    swept_once_ = true;
  }
  /// Empty: at its end, which is to be asked for.
  [[nodiscard]] std::string first_place() const {
    if (options_.start_at == StartAt::now) return {};
    return options_.start_at == StartAt::id ? options_.start_id : "0";
  }
  void take_end(Reply& reply) {
    const bool none = reply.items.empty() || reply.items[0].items.empty();
    places_[std::exchange(asked_, {})] = none ? "0" : reply.items[0].items[0].text;
  }
  void take_entries(Reply& reply) {
    refused_ = false;
    for (Reply& stream : reply.items) {
      if (stream.items.size() != 2) continue;
      const auto place = places_.find(stream.items[0].text);
      if (place == places_.end()) continue;
      for (Reply& entry : stream.items[1].items) {
        if (entry.items.size() != 2) continue;
        TappedEvent tapped{name_of(place->first), entry.items[0].text, {}, {}};
        tapped.status = check_size(entry);
        const Fields fields = take_fields(entry);
        if (tapped.status.ok()) {
          tapped.status = decode_fields(fields, tapped.event, options_.maximum_payload);
        }
        if (!tapped.status.ok()) {
          tapped.event = {};
          frame_fields(fields, tapped.event.data);
        }
        tell(on_event_, tapped);
        place->second = std::move(tapped.place);
      }
    }
  }

  const RedisOptions options_;
  const EventPattern pattern_;
  const OnEvent on_event_;
  std::string glob_;  ///< what the pattern is for Redis, or more
  // The link's thread alone.
  bool waiting_ = false;  ///< for an answer, which `take_` takes
  Take take_ = nullptr;
  std::string asked_;                          ///< the key whose end is asked for
  std::map<std::string, std::string> places_;  ///< what was read last, by key; empty: not known yet
  std::set<std::string> swept_;                ///< keys that this sweep has found so far
  std::string cursor_{"0"};
  std::int64_t keys_asked_ = most_keys;  ///< at once: fewer if they are too large for one answer
  SteadyTime next_scan_{};
  bool swept_once_ = false;
  bool listening_ = false;   ///< or has asked to
  bool refused_ = false;     ///< the server has said no
  SteadyTime not_before_{};  ///< when to ask again
  bool missed_ = false;
  bool begun_ = false;
  Link<RedisTap> link_;
};

}  // namespace gossip::redis
