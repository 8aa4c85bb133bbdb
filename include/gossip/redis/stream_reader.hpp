// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamReader: reads events from streams, with a consumer group or without. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/stream_claims.hpp>
#include <gossip/redis/stream_id.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/writer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Reads with one blocking command at a time on a connection of its own; whatever else it wants to
/// know or to say goes over the writer's connection.
///
/// With a group an event is acknowledged when every processor has succeeded. One whose processor
/// failed stays pending; after `claim_after` somebody of the group claims it, and after
/// `max_deliveries` it goes to the stream `<key>.dead`, with the reason. While a processor runs its
/// claim is refreshed. Without a group each reader has its own place in the stream, and nothing is
/// acknowledged.
///
/// It never reads more than the bus may hold: at most `max_in_flight` events are read and not settled.
///
/// Thread safety: subscribe, unsubscribe, statistics from any thread; start and close from one.
class StreamReader {
 public:
  /// @param options  valid; outlive the reader
  /// @param writer   outlives the reader; started
  /// @param consumer name within the group
  StreamReader(const RedisOptions& options, Writer& writer, std::string consumer)
      : options_{options},
        writer_{writer},
        consumer_{std::move(consumer)},
        link_{options, *this, true},
        intake_{options, writer, &wake, this},
        claims_{options, writer, consumer_, intake_, &wake, this} {}
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  ~StreamReader() { close(std::chrono::steady_clock::now()); }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }

  /// Reads that event type from now on. Events that are published after it returns are read, if the
  /// server could be reached.
  /// @return  why not: a right is missing, the key holds something else
  Status subscribe(Subscribed type) {
    auto stream = std::make_shared<Stream>();
    stream->subscribed = std::make_shared<const Subscribed>(std::move(type));
    if (options_.start_at != StartAt::now) {
      stream->last_id = options_.start_at == StartAt::id ? options_.start_id : "0";
    }
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.command_timeout;
    if (writer_.wait_until_connected(deadline).ok()) {
      while (!stream->ready) {
        Reply reply;
        if (!writer_.ask_and_wait(next_question(*stream), reply, deadline).ok()) break;
        if (Status status = answered(*stream, reply); !status.ok()) return status;
      }
    }
    const std::lock_guard lock{mutex_};
    changes_.push_back(std::move(stream));
    wake_up();
    return {};
  }

  /// Reads that event type no longer. What is pending stays for others of the group.
  void unsubscribe(const std::string& type) {
    const std::lock_guard lock{mutex_};
    removals_.push_back(type);
    wake_up();
  }

  /// Reads no more; what is in flight may still be acknowledged. Idempotent.
  void stop_reading() noexcept {
    stopped_.store(true, std::memory_order_release);
    link_.notify();
  }

  /// Ends, once what is settled has been handed to the writer as acknowledged. What was not settled
  /// stays pending at the server.
  void close(SteadyTime deadline) {
    stop_reading();
    link_.close(deadline);
  }
  /// What it has done. @par Thread safety any thread
  [[nodiscard]] ReaderStatistics statistics() const { return intake_.statistics(); }

  /// What Link asks of its client, on its own thread.
  /// @{
  void on_ready() {
    client_id_.store(link_.session().client_id());
    reading_ = false;
    for (auto& entry : streams_)
      entry.second->ready = entry.second->ready && options_.group.empty();
    claims_.hurry();
  }
  void on_lost(const Status&) { reading_ = false; }  // nothing is missed: the streams keep it
  void on_push(Reply&) {}
  void on_state(State, const Status&) {}

  SteadyTime on_turn(SteadyTime now) {
    take_changes();
    intake_.settle();
    intake_.deliver();
    if (!link_.ready() || stopped_.load(std::memory_order_acquire)) return SteadyTime::max();
    SteadyTime next = SteadyTime::max();
    for (auto& entry : streams_) next = std::min(next, prepare(*entry.second, now));
    if (!options_.group.empty()) next = std::min(next, claims_.turn(now, readable_types()));
    if (intake_.backlog() != 0) return std::min(next, now + look_again);
    if (!reading_) read();
    return next;
  }
  [[nodiscard]] bool has_work() const {
    if (intake_.settled_waiting() || claims_.has_claimed()) return true;
    const std::lock_guard lock{mutex_};
    return !changes_.empty() || !removals_.empty();
  }
  [[nodiscard]] bool drained() const { return !intake_.settled_waiting(); }
  /// @}
 private:
  /// How long to wait for room in the bus's queue, if nothing that is in it is settled before.
  static constexpr std::chrono::milliseconds look_again{5};

  /// An event type's stream.
  struct Stream {
    std::shared_ptr<const Subscribed> subscribed;
    std::string last_id = {};  ///< the id that was read last; empty: none yet
    bool ready = false;        ///< the group exists, or the place to read from is known
    bool asked = false;        ///< that is being found out
    bool denied = false;       ///< the server refuses: another type of key, a missing right
    bool being_read = false;   ///< the last read names it
    bool had_group = false;    ///< there was a group once
    bool gap_told = false;     ///< that it is gone has been reported
    SteadyTime not_before{};   ///< when to try again
  };

  static void wake(void* self) noexcept { static_cast<StreamReader*>(self)->link_.notify(); }

  // ---- Beginning ------------------------------------------------------------------------------

  /// What is to be asked before a stream can be read: where it ends, so that a group that is lost can
  /// be made again from there; then the group.
  [[nodiscard]] Command next_question(const Stream& stream) const {
    const std::string& key = stream.subscribed->key;
    if (asks_for_end(stream)) return Command{"XREVRANGE", key, "+", "-", "COUNT", "1"};
    // After a loss the group goes on behind what was read last, not at the end of the stream.
    return Command{"XGROUP", "CREATE", key, options_.group, stream.last_id, "MKSTREAM"};
  }
  [[nodiscard]] bool asks_for_end(const Stream& stream) const {
    return options_.group.empty() || stream.last_id.empty();
  }

  /// Takes the answer to next_question().
  Status answered(Stream& stream, const Reply& reply) {
    const bool group_exists = reply.error_code() == "BUSYGROUP";
    const bool end = asks_for_end(stream);
    if (end && !options_.group.empty() && class_of(reply) == ErrorClass::denied) {
      stream.last_id = "$";  // without the right to look, the server knows the end
      return {};
    }
    if (reply.is_error() && !group_exists) {
      return status_of(reply, "subscribing to " + stream.subscribed->type);
    }
    if (stream.last_id.empty()) {
      const bool none = reply.items.empty() || reply.items[0].items.empty();
      stream.last_id = none ? "0" : reply.items[0].items[0].text;
    }
    if (end && !options_.group.empty()) return {};
    if (stream.had_group && !group_exists && !stream.gap_told) {
      report_gap(stream.subscribed->type, "the stream or its group was gone");
    }
    stream.had_group = !options_.group.empty();
    stream.gap_told = false;
    stream.ready = true;
    return {};
  }

  /// Makes a stream readable, if it is not.
  SteadyTime prepare(Stream& stream, SteadyTime now) {
    if (stream.ready || stream.asked) return SteadyTime::max();
    if (now < stream.not_before) return stream.not_before;
    stream.asked = true;
    auto* question = new Question{this, stream.subscribed->type};
    link_.send(next_question(stream), {&on_answered, question, 0});
    return SteadyTime::max();
  }

  struct Question {
    StreamReader* reader;
    std::string type;
  };
  static void on_answered(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    const std::unique_ptr<Question> question{static_cast<Question*>(context)};
    StreamReader& self = *question->reader;
    const auto found = self.streams_.find(question->type);
    if (found == self.streams_.end()) return;
    Stream& stream = *found->second;
    stream.asked = false;
    if (!lost.ok()) return;
    if (const Status status = self.answered(stream, reply); !status.ok()) {
      self.trouble(stream, status);
    }
  }

  /// A stream that cannot be read now; the others go on.
  void trouble(Stream& stream, const Status& why) {
    stream.ready = false;
    stream.not_before = std::chrono::steady_clock::now() + options_.back_off_cap;
    if (!std::exchange(stream.denied, true) && options_.on_state) {
      options_.on_state(State::degraded, why);
    }
  }

  // ---- Reading --------------------------------------------------------------------------------

  void read() {
    std::vector<Stream*> readable;
    for (auto& entry : streams_) {
      if (entry.second->ready) readable.push_back(entry.second.get());
    }
    if (readable.empty() || intake_.in_flight() >= options_.max_in_flight) return;
    const std::size_t room = options_.max_in_flight - intake_.in_flight();
    // The count is for each stream: where there is less room than streams, some wait for their turn.
    if (room < readable.size()) {
      std::rotate(readable.begin(),
                  readable.begin() + static_cast<std::ptrdiff_t>(turn_++ % readable.size()),
                  readable.end());
      readable.resize(room);
    }
    const std::size_t count = std::min(options_.read_count, room / readable.size());
    Command command = options_.group.empty()
                          ? Command{"XREAD"}
                          : Command{"XREADGROUP", "GROUP", options_.group, consumer_};
    command.add("COUNT").add(static_cast<std::int64_t>(count));
    command.add("BLOCK").add(std::int64_t{options_.block.count()}).add("STREAMS");
    for (Stream* stream : readable) {
      command.add(stream->subscribed->key);
      stream->being_read = true;
    }
    for (const Stream* stream : readable) {
      command.add(options_.group.empty() ? stream->last_id : ">");
    }
    reading_ = true;
    link_.send(command, {&on_read, this, 0});
  }

  static void on_read(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<StreamReader*>(context);
    self.reading_ = false;
    if (!lost.ok()) return;
    if (reply.is_error()) return self.reading_failed(reply);
    self.reading_works();
    for (Reply& of_stream : reply.items) {
      if (of_stream.items.size() != 2) continue;
      const auto stream = self.stream_of(of_stream.items[0].text);
      if (stream == nullptr) continue;
      for (Reply& entry : of_stream.items[1].items) {
        if (!entry.items.empty()) stream->last_id = entry.items[0].text;
        self.intake_.take(stream->subscribed, entry);
      }
    }
  }

  [[nodiscard]] std::shared_ptr<Stream> stream_of(const std::string& key) const {
    for (const auto& entry : streams_) {
      if (entry.second->subscribed->key == key) return entry.second;
    }
    return nullptr;
  }

  void reading_failed(const Reply& reply) {
    switch (class_of(reply)) {
      case ErrorClass::no_group:
        // Somebody deleted a stream or a group; which one the answer does not say for certain.
        for (auto& entry : streams_) {
          entry.second->last_id = before_millisecond_of(entry.second->last_id);
          entry.second->ready = false;
          entry.second->gap_told = true;
          entry.second->not_before = std::chrono::steady_clock::now() + options_.back_off_initial;
        }
        return report_gap("", "a stream or its group was deleted");
      case ErrorClass::reconnect:
      case ErrorClass::retry: link_.give_up(status_of(reply, "reading")); return;
      default: find_culprit(status_of(reply, "reading"));
    }
  }

  /// Whoever was refused before is not any more.
  void reading_works() {
    refusals_ = 0;
    bool better = false;
    bool denied = false;
    for (auto& entry : streams_) {
      Stream& stream = *entry.second;
      if (std::exchange(stream.being_read, false)) {
        better = std::exchange(stream.denied, false) || better;
      }
      denied = denied || stream.denied;
    }
    if (better && !denied && options_.on_state) options_.on_state(State::ready, Status{});
  }

  /// One stream is refused: all are prepared anew, which tells which; unless it is a command that is
  /// refused, which is tried less and less often.
  void find_culprit(const Status& why) {
    const auto delay = std::min(options_.back_off_cap,
                                options_.back_off_initial * (1 << std::min(refusals_, 16U)));
    const bool again = refusals_++ != 0;
    for (auto& entry : streams_) {
      Stream& stream = *entry.second;
      if (!stream.ready) continue;
      if (again) trouble(stream, why);
      stream.ready = false;
      stream.being_read = false;
      stream.not_before = std::chrono::steady_clock::now() + delay;
    }
  }

  void report_gap(std::string type, std::string reason) {
    intake_.count(&ReaderStatistics::gaps);
    if (options_.on_gap) options_.on_gap({std::move(type), std::move(reason), 0});
  }

  [[nodiscard]] std::vector<std::shared_ptr<const Subscribed>> readable_types() const {
    std::vector<std::shared_ptr<const Subscribed>> types;
    for (const auto& entry : streams_) {
      if (entry.second->ready) types.push_back(entry.second->subscribed);
    }
    return types;
  }

  // ---- Others' wishes -------------------------------------------------------------------------

  void take_changes() {
    std::vector<std::shared_ptr<Stream>> added;
    std::vector<std::string> removed;
    {
      const std::lock_guard lock{mutex_};
      added.swap(changes_);
      removed.swap(removals_);
    }
    for (auto& stream : added) {
      const std::string type = stream->subscribed->type;
      streams_.emplace(type, std::move(stream));  // one that is read already goes on
    }
    for (const std::string& type : removed) streams_.erase(type);
  }

  /// Makes a read that is blocked return, so that a change takes effect now. @pre the lock is held
  void wake_up() {
    link_.notify();
    if (const auto id = client_id_.load(); id != 0) {
      writer_.ask(Command{"CLIENT", "UNBLOCK"}.add(id), [](const Status&, Reply&) {});
    }
  }

  const RedisOptions& options_;
  Writer& writer_;
  const std::string consumer_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> client_id_{0};  ///< of the connection, for CLIENT UNBLOCK

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Stream>> changes_;
  std::vector<std::string> removals_;

  // The link's thread alone.
  std::map<std::string, std::shared_ptr<Stream>> streams_;  ///< by event type
  bool reading_ = false;
  std::size_t turn_ = 0;
  unsigned refusals_ = 0;  ///< in a row // times
  // Outlives what wakes it; its thread has ended when the others are destroyed.
  Link<StreamReader> link_;
  StreamIntake intake_;
  StreamClaims claims_;
};

}  // namespace gossip::redis
