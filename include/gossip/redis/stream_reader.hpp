// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamReader: reads events from streams, with a consumer group or without. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/blocked_read.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/condition.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/send_window.hpp>
#include <gossip/redis/stream_claims.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/stream_place.hpp>
#include <gossip/redis/stream_places.hpp>
#include <gossip/redis/stream_watch.hpp>
#include <gossip/redis/tell.hpp>
#include <gossip/redis/writer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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
        window_{options.read_count},
        link_{options, *this, true},
        intake_{options, writer, &wake, this},
        claims_{options, writer, consumer_, intake_, &wake, this},
        watch_{options, writer, intake_, &wake, this} {
    writer.condition()->expect(Part::reader);
  }
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  ~StreamReader() { close(std::chrono::steady_clock::now()); }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }

  /// Reads that event type from now on. Events that are published after it returns are read, if the
  /// server could be reached.
  /// @return  why not: a right is missing, the key holds something else
  Status subscribe(Subscribed type) {
    auto stream = std::make_shared<StreamPlace>(StreamPlace::begin(options_, std::move(type)));
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.command_timeout;
    if (writer_.wait_until_connected(deadline).ok()) {
      while (!stream->ready) {
        Reply reply;
        if (!writer_.ask_and_wait(stream->next_question(options_), reply, deadline).ok()) break;
        if (Status status = answered(*stream, reply); !status.ok()) {
          if (is_retryable(status)) break;  // a server that is loading, say: it will be asked again
          return status;
        }
      }
    }
    streams_.add(std::move(stream));
    wake_up();
    return {};
  }

  /// Reads that event type no longer, if `unwanted()`, which is asked under the lock that orders this
  /// and subscribe(). What is pending stays for others of the group.
  template <class Unwanted>
  void unsubscribe(const std::string& type, Unwanted&& unwanted) {
    if (streams_.remove(type, std::forward<Unwanted>(unwanted))) wake_up();
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
  /// Of its connection. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return link_.traffic(); }
  /// How far it is behind in each stream. @par Thread safety any thread
  [[nodiscard]] std::vector<StreamStatistics> streams() const { return watch_.statistics(); }

  /// What Link asks of its client, on its own thread.
  /// @{
  void on_ready() {
    blocked_read_.connected(link_.session().client_id());
    reading_ = false;
    for (const auto& entry : streams_.all()) entry.second->reconnected();
    static_cast<void>(streams_.take_fresh());
    claims_.hurry();
    looks_at_ = SteadyTime{};
  }
  void on_lost(const Status&) noexcept {  // nothing is missed: the streams keep it
    blocked_read_.lost();
    reading_ = false;
  }
  void on_push(Reply&) {}
  void on_state(State state, const Status& why) {
    writer_.condition()->connection(Part::reader, state, why);
  }

  SteadyTime on_turn() {
    const SteadyTime now = std::chrono::steady_clock::now();
    take_changes();
    intake_.settle();
    watch_.take_answers();
    if (claims_.take_claimed()) looks_at_ = now;
    intake_.deliver(now);
    // Who has closed the bus wants no more; the rest is for others of the group.
    if (intake_.closed()) stopped_.store(true, std::memory_order_release);
    if (!link_.ready() || stopped_.load(std::memory_order_acquire)) {
      const bool keeps = !options_.group.empty() && intake_.held() != 0;
      return keeps ? claims_.refresh(now) : SteadyTime::max();
    }
    SteadyTime next = SteadyTime::max();
    for (const auto& entry : streams_.all()) next = std::min(next, prepare(entry.second, now));
    next = std::min(next, look_after(now));
    if (intake_.backlog() != 0) return std::min(next, intake_.due());
    if (!reading_) read();
    return next;
  }
  [[nodiscard]] bool has_work() const {
    return intake_.settled_waiting() || claims_.has_claimed() || watch_.has_answers() ||
           streams_.has_changes();
  }
  [[nodiscard]] bool drained() const {
    return !intake_.settled_waiting() && intake_.being_buried() == 0;
  }
  /// @}
 private:
  static void wake(void* self) noexcept { static_cast<StreamReader*>(self)->link_.notify(); }

  // ---- Beginning ------------------------------------------------------------------------------

  Status answered(StreamPlace& stream, const Reply& reply) {
    StreamPlace::Answer answer = stream.answered(options_, reply);
    stream.gap_owed = stream.gap_owed || answer.gap;
    if (stream.gap_owed) report_gap(stream.subscribed->type, "the stream or its group was gone");
    stream.gap_owed = false;
    return std::move(answer.refused);
  }

  /// Makes a stream readable, if it is not. Behind a read the server would answer later, and the place
  /// would be another one by then.
  SteadyTime prepare(const std::shared_ptr<StreamPlace>& stream, SteadyTime now) {
    if (stream->ready || stream->asked || reading_) return SteadyTime::max();
    if (now < stream->not_before) return stream->not_before;
    auto question = std::make_unique<Question>(Question{this, stream});
    link_.send(stream->next_question(options_), {&on_answered, question.get(), 0});
    static_cast<void>(question.release());  // on_answered has it now
    stream->asked = true;
    return SteadyTime::max();
  }

  struct Question {
    StreamReader* reader;
    std::shared_ptr<StreamPlace> stream;
  };
  static void on_answered(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    const std::unique_ptr<Question> question{static_cast<Question*>(context)};
    StreamPlace& stream = *question->stream;
    stream.asked = false;
    if (stream.ended || !lost.ok()) return;
    StreamReader& self = *question->reader;
    const Status status = self.answered(stream, reply);
    if (stream.ready) self.streams_.note_fresh(question->stream);
    if (status.ok()) return;
    if (class_of(reply) == ErrorClass::reconnect) return self.link_.give_up(status);
    self.trouble(stream, status);
  }

  /// A stream that cannot be read now; the others go on.
  void trouble(StreamPlace& stream, const Status& why) {
    stream.ready = false;
    stream.not_before = std::chrono::steady_clock::now() + options_.back_off_cap;
    if (stream.denied) return;
    stream.denied = writer_.condition()->refused(reading(stream.subscribed->type), why);
  }

  // ---- Reading --------------------------------------------------------------------------------

  void read() {
    auto readable = streams_.next_to_read();
    const std::size_t room = intake_.room();
    if (readable.empty() || room == 0) return;
    // The count is for each stream: where there is less room than streams, some wait for their turn.
    if (room < readable.size()) {
      std::rotate(readable.begin(),
                  readable.begin() + static_cast<std::ptrdiff_t>(turn_++ % readable.size()),
                  readable.end());
      readable.resize(room);
    }
    read_count_ = std::min(window_.size(), room / readable.size());
    Command command = options_.group.empty()
                          ? Command{"XREAD"}
                          : Command{"XREADGROUP", "GROUP", options_.group, consumer_};
    command.add("COUNT").add(static_cast<std::int64_t>(read_count_));
    // One that may be refused keeps the others waiting no longer than it must.
    if (blocked_read_.begin() && !readable[0]->alone) {
      command.add("BLOCK").add(std::int64_t{options_.block.count()});
    }
    command.add("STREAMS");
    for (const auto& stream : readable) command.add(stream->subscribed->key);
    for (const auto& stream : readable) {
      command.add(options_.group.empty() ? stream->last_id : ">");
    }
    being_read_ = std::move(readable);
    reading_ = true;
    link_.send(command, {&on_read, this, 0});
  }

  static void on_read(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    auto& self = *static_cast<StreamReader*>(context);
    self.reading_ = false;
    if (!lost.ok()) return self.window_.lost(self.read_count_);
    self.blocked_read_.answered();
    self.take_changes();  // what was published after the end of a subscription is not for the next
    if (reply.is_error()) return self.reading_failed(reply);
    self.reading_works();
    for (Reply& of_stream : reply.items) self.take_entries(of_stream);
  }

  /// The key of a stream, and its entries.
  void take_entries(Reply& of_stream) {
    if (of_stream.items.size() != 2) return;
    const auto stream = stream_of(of_stream.items[0].text);
    std::vector<Reply>& entries = of_stream.items[1].items;
    if (stream == nullptr || entries.empty()) return;
    window_.answered(entries.size());
    StreamPlace::Mark before = stream->mark();
    if (!entries.back().items.empty()) stream->has_read(entries.back());
    try {
      for (Reply& entry : entries) intake_.take(stream->subscribed, entry);
    } catch (...) {  // what was not taken is read again, or claimed
      stream->go_back(std::move(before));
      throw;
    }
  }

  /// Of those that were read, the one with that key, unless it has ended since. Not another one that
  /// has begun since: its place may be behind what is being read.
  [[nodiscard]] std::shared_ptr<StreamPlace> stream_of(const std::string& key) const {
    for (const auto& stream : being_read_) {
      if (stream->subscribed->key == key && !stream->ended) return stream;
    }
    return nullptr;
  }

  void reading_failed(const Reply& reply) {
    switch (class_of(reply)) {
      case ErrorClass::no_group:
        // Somebody deleted a stream or a group; which one the answer does not say for certain.
        report_gap("", "a stream or its group was deleted");
        for (const auto& entry : streams_.all()) {
          entry.second->ready = false;
          entry.second->gap_told = true;
          entry.second->not_before = std::chrono::steady_clock::now() + options_.back_off_initial;
        }
        return;
      case ErrorClass::reconnect:
      case ErrorClass::retry: link_.give_up(status_of(reply, "reading")); return;
      default: find_culprit(reply);
    }
  }

  /// Whoever was refused before is not any more.
  void reading_works() {
    if (!being_read_[0]->alone && std::exchange(refusals_, 0U) != 0) {
      writer_.condition()->works("reading");
    }
    for (const auto& stream : being_read_) {
      stream->alone = false;
      if (!stream->denied) continue;
      const std::string what = reading(stream->subscribed->type);  // what takes memory, first
      stream->denied = false;
      writer_.condition()->works(what);
    }
  }
  /// What is refused where a stream cannot be read.
  static std::string reading(const std::string& type) { return "reading " + type; }

  /// One stream is refused: each is prepared anew and read by itself, which tells which. Where that tells
  /// nothing, and together they are refused again, it is tried less and less often.
  void find_culprit(const Reply& reply) {
    if (StreamPlace& stream = *being_read_[0]; stream.alone) {
      if (!stream.ended) trouble(stream, status_of(reply, "reading", stream.subscribed->type));
      return;
    }
    if (refusals_ != 0) writer_.condition()->refused("reading", status_of(reply, "reading"));
    const auto delay = options_.back_off_initial * (1 << std::min(refusals_++, 16U));
    const auto then = std::chrono::steady_clock::now() + std::min(options_.back_off_cap, delay);
    for (const auto& stream : being_read_) stream->suspect(then);
  }

  /// Throws, if it does, before it has told or counted it.
  void report_gap(const std::string& type, const char* reason) {
    const Gap gap{type, reason, 0};
    intake_.count(&ReaderStatistics::gaps);
    tell(options_.on_gap, gap);
  }

  /// What is done from time to time. @return when it wants to be called again
  SteadyTime look_after(SteadyTime now) {
    if (now < looks_at_ && !streams_.has_fresh()) return looks_at_;
    const auto readable = streams_.readable();
    const auto fresh = streams_.take_fresh();
    looks_at_ = SteadyTime::max();
    if (!options_.group.empty()) looks_at_ = claims_.turn(now, readable, fresh);
    if (now >= watch_.due()) watch_.look(now, readable);
    return looks_at_ = std::min(looks_at_, watch_.due());
  }

  // ---- Others' wishes -------------------------------------------------------------------------

  void take_changes() {
    const auto begun = [this](const Subscribed& stream) { intake_.refusals()->reads(stream.key); };
    const auto ended = [this](const Subscribed& stream) {
      const std::string what = reading(stream.type);  // what takes memory, first
      watch_.forget(stream.type);
      intake_.refusals()->forget(stream.key);
      writer_.condition()->works(what);
      writer_.condition()->works("reading");  // if it does not, the next read tells
    };
    streams_.take_changes(begun, ended);
  }

  /// So that a change takes effect now.
  void wake_up() {
    link_.notify();
    blocked_read_.end();
  }

  const RedisOptions& options_;
  Writer& writer_;
  const std::string consumer_;
  std::atomic<bool> stopped_{false};
  BlockedRead blocked_read_{writer_};

  StreamPlaces streams_;

  // The link's thread alone.
  bool reading_ = false;
  std::vector<std::shared_ptr<StreamPlace>> being_read_;  ///< by the last read
  std::size_t read_count_ = 0;                            ///< of the last read, for each // events
  SendWindow window_;
  std::size_t turn_ = 0;
  unsigned refusals_ = 0;  ///< in a row, of several streams at once // times
  // Outlives what wakes it; its thread has ended when the others are destroyed.
  Link<StreamReader> link_;
  StreamIntake intake_;
  StreamClaims claims_;
  StreamWatch watch_;
  SteadyTime looks_at_{};  ///< when they want a turn
};

}  // namespace gossip::redis
