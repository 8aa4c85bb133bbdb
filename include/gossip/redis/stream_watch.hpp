// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamWatch: how far the readers of streams are behind. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/back_reference.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/question.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/stream_id.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/stream_place.hpp>
#include <gossip/redis/tell.hpp>
#include <gossip/redis/writer.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// What XINFO STREAM ... FULL says of a stream and, if there is one, of the group.
struct StreamReport {
  std::uint64_t length = 0;               ///< entries
  std::string first_id = {};              ///< of the oldest entry; empty: none
  std::string last_id = {};               ///< the last that was ever given
  std::string read_to = {};               ///< by the group; empty: no group
  std::optional<std::uint64_t> lag = {};  ///< as the server counts it // entries
  std::uint64_t pending = 0;              ///< of the group // entries
  bool oversized = false;                 ///< the oldest entry, see ReplyLimits

  /// Picks it out of the answer. What an old server does not say stays as it is.
  static StreamReport of(const Reply& reply, const std::string& group) {
    StreamReport report;
    for_each(reply, [&](std::string_view name, const Reply& value) {
      if (name == "length") report.length = number(value);
      if (name == "last-generated-id") report.last_id = value.text;
      if (name == "entries" && !value.items.empty() && !value.items[0].items.empty()) {
        report.first_id = value.items[0].items[0].text;
        report.oversized = !check_size(value.items[0]).ok();
      }
      if (name != "groups" || group.empty()) return;
      for (const Reply& entry : value.items) report.take_group(entry, group);
    });
    return report;
  }

 private:
  template <class Visit>
  static void for_each(const Reply& reply, Visit&& visit) {
    for (std::size_t i = 0; i + 1 < reply.items.size(); i += 2) {
      visit(std::string_view{reply.items[i].text}, reply.items[i + 1]);
    }
  }
  static std::uint64_t number(const Reply& value) noexcept {
    return value.integer < 0 ? 0 : static_cast<std::uint64_t>(value.integer);
  }
  void take_group(const Reply& entry, const std::string& group) {
    if (entry.items.size() < 2 || entry.items[1].text != group) return;
    for_each(entry, [this](std::string_view name, const Reply& value) {
      if (name == "last-delivered-id") read_to = value.text;
      if (name == "lag" && value.kind == Reply::Kind::integer) lag = number(value);
      if (name == "pel-count") pending = number(value);
    });
  }
};

/// Looks after the streams that are read, each `health_interval`: tells how far their readers are
/// behind, warns before trimming overtakes them (RedisOptions::on_lag), and reports what it took.
///
/// A server counts what was trimmed unread as lag for ever; here it is counted as trimmed.
///
/// No answer tells the id of the oldest entry without all of it. Where that is oversized, each look costs as
/// much as reading it: the next ones are left out.
///
/// Thread safety: statistics and has_answers from any thread; the rest belongs to the thread of the
/// connection.
class StreamWatch {
 public:
  /// @param intake  counts what was trimmed
  /// @param wake    as StreamIntake's
  StreamWatch(const RedisOptions& options, Writer& writer, StreamIntake& intake,
              void (*wake)(void*) noexcept, void* wake_context)
      : options_{options},
        writer_{writer},
        intake_{intake},
        wake_{wake},
        wake_context_{wake_context},
        self_{*this} {}
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;
  ~StreamWatch() { self_.end(); }

  /// When look() is due.
  [[nodiscard]] SteadyTime due() const noexcept { return due_; }
  /// Asks about those streams.
  void look(SteadyTime now, const std::vector<std::shared_ptr<StreamPlace>>& streams) {
    due_ = now + options_.health_interval;
    for (const auto& stream : streams) {
      if (refused_.contains(stream->subscribed->type) || rests(stream->subscribed->type)) continue;
      Command question{"XINFO", "STREAM", stream->subscribed->key, "FULL", "COUNT", "1"};
      ask_once(*stream, std::move(question),
               [self = self_, stream](const Status& lost, Reply& reply) {
                 self.with([&](StreamWatch& watch) {
                   watch.end_asking(*stream);
                   if (lost.ok()) watch.note_answer(stream, reply);
                 });
               });
    }
  }
  /// True if take_answers() would find something.
  [[nodiscard]] bool has_answers() const {
    const std::lock_guard lock{mutex_};
    return !answers_.empty();
  }
  /// Draws conclusions.
  void take_answers() {
    std::vector<Answer> answers;
    {
      const std::lock_guard lock{mutex_};
      answers.swap(answers_);
    }
    for (const Answer& answer : answers) {
      if (answer.stream->ended) continue;
      const std::string& type = answer.stream->subscribed->type;
      if (class_of(answer.reply) == ErrorClass::denied) {
        refused_.insert(type);
        continue;
      }
      if (!answer.reply.is_error()) take(*answer.stream, answer.reply);
      doubt(*answer.stream, answer.reply);
    }
  }
  /// A stream is not read any more.
  void forget(const std::string& type) {
    refused_.erase(type);
    rests_.erase(type);
    const std::lock_guard lock{mutex_};
    watched_.erase(type);
  }

  /// As of the last look, by event type. Nothing of streams about which we may not ask.
  [[nodiscard]] std::vector<StreamStatistics> statistics() const {
    const std::lock_guard lock{mutex_};
    std::vector<StreamStatistics> all;
    all.reserve(watched_.size());
    for (const auto& entry : watched_) all.push_back(entry.second.statistics);
    return all;
  }

 private:
  struct Answer {
    std::shared_ptr<StreamPlace> stream;
    Reply reply;
  };
  struct Watched {
    StreamStatistics statistics;
    std::uint64_t trimmed = 0;  ///< unread; the server counts them as lag // entries
    bool warned = false;
  };

  /// While there is no answer it is not asked again: the writer may be without a connection for long.
  void ask_once(const StreamPlace& stream, Command question, OnAnswer answer) {
    {
      const std::lock_guard lock{mutex_};
      if (!asked_.insert(stream.subscribed->type).second) return;
    }
    try {
      writer_.ask(std::move(question), std::move(answer));
    } catch (const std::bad_alloc&) {
      end_asking(stream);
      throw;
    }
  }
  void end_asking(const StreamPlace& stream) noexcept {
    const std::lock_guard lock{mutex_};
    asked_.erase(stream.subscribed->type);
  }

  void note_answer(const std::shared_ptr<StreamPlace>& stream, Reply& reply) {
    {
      const std::lock_guard lock{mutex_};
      answers_.push_back({stream, std::move(reply)});
    }
    wake_(wake_context_);
  }

  void take(const StreamPlace& stream, const Reply& reply) {
    const std::string& type = stream.subscribed->type;
    const StreamReport report = StreamReport::of(reply, options_.group);
    Gap gap{type, "trimmed before they were read", 0};  // what takes memory, first
    StreamStatistics statistics;
    statistics.event_type = type;
    std::uint64_t& trimmed = gap.known;
    bool warn = false;
    {
      const std::lock_guard lock{mutex_};
      Watched& watched = watched_[type];
      if (watched.statistics.event_type.empty()) watched.statistics.event_type = type;
      trimmed = update(watched, report, options_.group.empty() ? stream.last_id : report.read_to);
      statistics = watched.statistics;
      warn = is_news(watched);
    }
    if (trimmed != 0) {
      intake_.count(&ReaderStatistics::trimmed, trimmed);
      tell(options_.on_gap, gap);
    }
    if (report.oversized) rests_[type] = looks_left_out;
    if (warn) tell(options_.on_lag, statistics);
  }
  /// Whether this look at it is left out.
  bool rests(const std::string& type) {
    const auto rest = rests_.find(type);
    if (rest == rests_.end()) return false;
    if (--rest->second == 0) rests_.erase(rest);
    return true;
  }

  /// Without a group nobody tells that the stream was deleted: its reader would wait behind the new
  /// one's end. A doubt too many costs a question. (One that is deleted and has grown beyond its reader's
  /// place within the same millisecond is not told from the old one while the connection lasts.)
  void doubt(StreamPlace& stream, const Reply& reply) const {
    if (!options_.group.empty() || !stream.known) return;
    const bool gone = reply.is_error();
    if (gone || is_after(stream.last_id, StreamReport::of(reply, {}).last_id)) stream.ready = false;
  }

  /// @return  how many entries were trimmed unread since the last look
  static std::uint64_t update(Watched& watched, const StreamReport& report,
                              const std::string& read_to) {
    StreamStatistics& known = watched.statistics;
    known.length = report.length;
    known.pending = report.pending;
    if (!is_after(report.last_id, read_to)) {
      known.lag = 0;
      watched.trimmed = report.lag.value_or(0);
      return 0;
    }
    if (report.lag) {
      known.lag = *report.lag - std::min(*report.lag, watched.trimmed);
    } else {
      known.lag.reset();
    }
    if (report.length != 0 && !is_after(report.first_id, read_to)) return 0;
    known.lag = report.length;  // all that is left has not been read
    const std::uint64_t expected = report.length + watched.trimmed;
    const std::uint64_t trimmed = std::max(report.lag.value_or(0), expected) - expected;
    watched.trimmed += trimmed;
    return trimmed;
  }

  /// Warns once, and again when it has been far from the limit in between.
  bool is_news(Watched& watched) const {
    if (options_.stream_max_length == 0 || !watched.statistics.lag) return false;
    const double limit = static_cast<double>(options_.stream_max_length) * options_.lag_warning;
    const auto lag = static_cast<double>(*watched.statistics.lag);
    if (lag < limit / 2) watched.warned = false;
    return lag >= limit && !std::exchange(watched.warned, true);
  }

  static constexpr unsigned looks_left_out = 11;  // times

  const RedisOptions& options_;
  Writer& writer_;
  StreamIntake& intake_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamWatch> self_;
  SteadyTime due_{};
  std::set<std::string> refused_;          ///< about which we have no right to ask
  std::map<std::string, unsigned> rests_;  ///< types at which so many looks are left out
  mutable std::mutex mutex_;
  std::vector<Answer> answers_;
  std::set<std::string> asked_;             ///< types about which there is no answer yet
  std::map<std::string, Watched> watched_;  ///< by event type
};

}  // namespace gossip::redis
