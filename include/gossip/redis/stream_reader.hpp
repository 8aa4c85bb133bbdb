// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamReader: reads events from streams, with a consumer group or without. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/receipt.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/deduplication.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/writer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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
        settled_{std::make_shared<Settled>()},
        seen_{options.deduplication_window},
        link_{options, *this, true} {
    settled_->reader = this;
  }
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  ~StreamReader() {
    close(std::chrono::steady_clock::now());
    const std::lock_guard lock{settled_->mutex};
    settled_->reader = nullptr;
  }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }

  /// Reads that event type from now on. Events that are published after it returns are read, if the
  /// server could be reached.
  /// @return  why not: a right is missing, the key holds something else
  Status subscribe(Subscribed type) {
    auto stream = std::make_shared<Stream>();
    stream->subscribed = std::move(type);
    const SteadyTime deadline = std::chrono::steady_clock::now() + options_.command_timeout;
    if (writer_.wait_until_connected(deadline).ok()) {
      Reply reply;
      const Status asked =
          writer_.ask_and_wait(beginning_of(stream->subscribed.key), reply, deadline);
      if (asked.ok()) {
        if (Status status = begun(*stream, reply); !status.ok()) return status;
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

  [[nodiscard]] ReaderStatistics statistics() const {
    const std::lock_guard lock{mutex_};
    return statistics_;
  }

  // ---- For the link ---------------------------------------------------------------------------

  void on_ready() {
    client_id_.store(link_.session().client_id());
    reading_ = false;
    for (auto& entry : streams_)
      entry.second->ready = entry.second->ready && options_.group.empty();
    next_claim_ = SteadyTime{};
  }
  void on_lost(const Status&) { reading_ = false; }  // nothing is missed: the streams keep it
  void on_push(Reply&) {}
  void on_state(State, const Status&) {}

  SteadyTime on_turn(SteadyTime now) {
    take_changes();
    take_settled();
    deliver_backlog();
    if (!link_.ready() || stopped_.load(std::memory_order_acquire)) return SteadyTime::max();
    SteadyTime next = SteadyTime::max();
    for (auto& entry : streams_) next = std::min(next, prepare(*entry.second, now));
    if (!options_.group.empty()) next = std::min(next, claim(now));
    if (!reading_ && backlog_.empty()) read();
    if (!backlog_.empty()) next = std::min(next, now + std::chrono::milliseconds{5});
    return next;
  }
  [[nodiscard]] bool has_work() const {
    {
      const std::lock_guard lock{mutex_};
      if (!changes_.empty() || !removals_.empty() || !claims_.empty()) return true;
    }
    return !drained();
  }
  [[nodiscard]] bool drained() const {
    const std::lock_guard lock{settled_->mutex};
    return settled_->entries.empty();
  }

 private:
  /// An event type's stream.
  struct Stream {
    Subscribed subscribed;
    std::string last_id = "";  ///< the id that was read last; empty: none yet
    bool ready = false;        ///< the group exists, or the place to read from is known
    bool asked = false;        ///< that is being found out
    bool denied = false;       ///< the server refuses: another type of key, a missing right
    SteadyTime not_before{};   ///< when to try again
    std::string claim_cursor = "0-0";
  };

  /// An event that is in the bus.
  struct InFlight {
    std::string event_id;
    SteadyTime since{};
  };
  using EntryKey = std::pair<std::string, std::string>;  ///< key of the stream, id within it

  /// What the bus is done with.
  struct Done {
    EntryKey entry;
    bool failed = false;
  };
  struct Settled {
    std::mutex mutex;
    StreamReader* reader = nullptr;  ///< null once it ends
    std::vector<Done> entries;
  };
  struct EntryReceipt : ReceiptState {
    EntryReceipt(std::shared_ptr<Settled> to, EntryKey key)
        : ReceiptState{&settle_entry}, settled{std::move(to)}, entry{std::move(key)} {}
    static void settle_entry(ReceiptState* state) noexcept {
      const std::unique_ptr<EntryReceipt> self{static_cast<EntryReceipt*>(state)};
      if (self->withdrawn) return;
      const std::lock_guard lock{self->settled->mutex};
      if (self->settled->reader == nullptr) return;
      try {
        self->settled->entries.push_back({std::move(self->entry), self->failed.load()});
      } catch (const std::bad_alloc&) {
        return;  // not acknowledged: it will be claimed again
      }
      self->settled->reader->link_.notify();
    }
    std::shared_ptr<Settled> settled;
    EntryKey entry;
    bool withdrawn = false;  ///< never got into the bus
  };

  /// An event that has been read and did not fit into the bus yet.
  struct Waiting {
    std::shared_ptr<Stream> stream;
    std::string id;
    WireEvent event;
  };

  // ---- Beginning ------------------------------------------------------------------------------

  [[nodiscard]] Command beginning_of(const std::string& key) const {
    if (options_.group.empty()) {
      return Command{"XREVRANGE", key, "+", "-", "COUNT", "1"};
    }
    return Command{"XGROUP", "CREATE", key, options_.group, start_id(), "MKSTREAM"};
  }
  [[nodiscard]] std::string start_id() const {
    switch (options_.start_at) {
      case StartAt::now: return "$";
      case StartAt::beginning: return "0";
      case StartAt::id: return options_.start_id;
    }
    return "$";
  }

  /// Takes the answer to beginning_of().
  Status begun(Stream& stream, const Reply& reply) {
    const bool exists = reply.error_code() == "BUSYGROUP";
    if (reply.is_error() && !exists) {
      return status_of(reply, "subscribing to " + stream.subscribed.type);
    }
    if (options_.group.empty() && stream.last_id.empty()) {
      if (options_.start_at != StartAt::now) {
        stream.last_id = options_.start_at == StartAt::id ? options_.start_id : "0";
      } else {
        stream.last_id = reply.items.empty() || reply.items[0].items.empty()
                             ? "0"
                             : reply.items[0].items[0].text;
      }
    }
    stream.ready = true;
    return {};
  }

  /// Makes a stream readable, if it is not.
  SteadyTime prepare(Stream& stream, SteadyTime now) {
    if (stream.ready || stream.asked) return SteadyTime::max();
    if (now < stream.not_before) return stream.not_before;
    stream.asked = true;
    auto* question = new Question{this, stream.subscribed.type};
    if (options_.group.empty()) {
      link_.send(beginning_of(stream.subscribed.key), {&on_begun, question, 0});
    } else {
      // After a loss the group goes on behind what was read last, not at the end of the stream.
      Command create{"XGROUP", "CREATE", stream.subscribed.key, options_.group};
      create.add(stream.last_id.empty() ? start_id() : stream.last_id).add("MKSTREAM");
      link_.send(create, {&on_begun, question, 0});
    }
    return SteadyTime::max();
  }

  struct Question {
    StreamReader* reader;
    std::string type;
  };
  static void on_begun(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    const std::unique_ptr<Question> question{static_cast<Question*>(context)};
    StreamReader& self = *question->reader;
    const auto found = self.streams_.find(question->type);
    if (found == self.streams_.end()) return;
    Stream& stream = *found->second;
    stream.asked = false;
    if (!lost.ok()) return;
    if (const Status status = self.begun(stream, reply); !status.ok()) {
      self.trouble(stream, status);
    } else if (std::exchange(stream.denied, false) && self.options_.on_state) {
      self.options_.on_state(State::ready, Status{});
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
    if (readable.empty() || in_flight_.size() >= options_.max_in_flight) return;
    const std::size_t room = options_.max_in_flight - in_flight_.size();
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
    for (const Stream* stream : readable) command.add(stream->subscribed.key);
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
    for (Reply& of_stream : reply.items) {
      if (of_stream.items.size() != 2) continue;
      const auto stream = self.stream_of(of_stream.items[0].text);
      if (stream == nullptr) continue;
      for (Reply& entry : of_stream.items[1].items) {
        if (!entry.items.empty()) stream->last_id = entry.items[0].text;
        self.take_entry(stream, entry);
      }
    }
  }

  [[nodiscard]] std::shared_ptr<Stream> stream_of(const std::string& key) const {
    for (const auto& entry : streams_) {
      if (entry.second->subscribed.key == key) return entry.second;
    }
    return nullptr;
  }

  void reading_failed(const Reply& reply) {
    switch (class_of(reply)) {
      case ErrorClass::no_group:
        // Somebody deleted a stream or a group; which one the answer does not say for certain.
        for (auto& entry : streams_) {
          entry.second->ready = false;
          entry.second->not_before = std::chrono::steady_clock::now() + options_.back_off_initial;
        }
        report_gap("a stream or its group was deleted", 0);
        return;
      case ErrorClass::reconnect:
      case ErrorClass::retry: link_.give_up(status_of(reply, "reading")); return;
      default: find_culprit(status_of(reply, "reading"));
    }
  }

  /// One stream is refused: all are prepared anew, which tells which.
  void find_culprit(const Status& why) {
    for (auto& entry : streams_) {
      if (entry.second->ready) trouble(*entry.second, why);
    }
    for (auto& entry : streams_) {
      entry.second->not_before = std::chrono::steady_clock::now() + options_.back_off_initial;
    }
  }

  void report_gap(std::string reason, std::uint64_t known) {
    {
      const std::lock_guard lock{mutex_};
      ++statistics_.gaps;
    }
    if (options_.on_gap) options_.on_gap({"", std::move(reason), known});
  }

  /// An entry is an id and its fields; no fields if it was trimmed while it was pending.
  void take_entry(const std::shared_ptr<Stream>& stream, Reply& entry) {
    if (entry.items.size() != 2) return;
    std::string& id = entry.items[0].text;
    if (!entry.items[1].is_array() || entry.items[1].items.empty()) {
      count(&ReaderStatistics::trimmed);
      return acknowledge(stream->subscribed.key, id);
    }
    Fields fields;
    auto& items = entry.items[1].items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      fields.emplace_back(std::move(items[i].text), std::move(items[i + 1].text));
    }
    Waiting waiting{stream, id, {}};
    Status status = decode_fields(fields, waiting.event);
    if (status.ok() && waiting.event.type != stream->subscribed.type) {
      status = ValidationError{"type", "another type than that of the stream"};
    }
    if (!status.ok()) return bury(*stream, id, fields, status, 0);
    backlog_.push_back(std::move(waiting));
    deliver_backlog();
  }

  /// Puts what was read into the bus, as far as it goes.
  void deliver_backlog() {
    while (!backlog_.empty()) {
      Waiting& first = backlog_.front();
      const EntryKey entry{first.stream->subscribed.key, first.id};
      if (in_flight_.count(entry) != 0) {  // claimed from ourselves: it still runs
        backlog_.pop_front();
        continue;
      }
      if (seen_.contains(first.event.id)) {
        count(&ReaderStatistics::duplicates);
        acknowledge(entry.first, entry.second);
        backlog_.pop_front();
        continue;
      }
      auto* state = new EntryReceipt{settled_, entry};
      Receipt receipt{state};
      in_flight_[entry] = {first.event.id, std::chrono::steady_clock::now()};
      const Status status = first.stream->subscribed.inbound(first.event, receipt);
      if (status.ok()) {
        count(&ReaderStatistics::received);
        backlog_.pop_front();
        continue;
      }
      state->withdrawn = true;
      in_flight_.erase(entry);
      if (status == Errc::queue_full) return;
      if (status == Errc::closed) {
        backlog_.clear();
        return;
      }
      Fields fields;
      static_cast<void>(encode_fields(first.event, fields));
      bury(*first.stream, first.id, fields, status, 0);
      backlog_.pop_front();
    }
  }

  // ---- Settling -------------------------------------------------------------------------------

  void take_settled() {
    std::vector<Done> done;
    {
      const std::lock_guard lock{settled_->mutex};
      done.swap(settled_->entries);
    }
    std::map<std::string, std::vector<std::string>> acknowledged;
    for (Done& entry : done) {
      const auto found = in_flight_.find(entry.entry);
      if (found == in_flight_.end()) continue;
      if (entry.failed) {
        count(&ReaderStatistics::not_handled);
      } else {
        seen_.add(found->second.event_id);
        acknowledged[entry.entry.first].push_back(std::move(entry.entry.second));
      }
      in_flight_.erase(found);
    }
    for (auto& [key, ids] : acknowledged) acknowledge(key, std::move(ids));
    const std::lock_guard lock{mutex_};
    statistics_.in_flight = in_flight_.size();
  }

  void acknowledge(const std::string& key, std::string id) {
    std::vector<std::string> ids;
    ids.push_back(std::move(id));
    acknowledge(key, std::move(ids));
  }
  /// An acknowledgement that is lost is made up for: the event comes again, and is recognised.
  void acknowledge(const std::string& key, std::vector<std::string> ids) {
    if (options_.group.empty()) return;
    Command command{"XACK", key, options_.group};
    const std::size_t number = ids.size();
    for (std::string& id : ids) command.add(std::move(id));
    writer_.ask(std::move(command), [settled = settled_, number](const Status& lost, Reply& reply) {
      if (!lost.ok() || reply.is_error()) return;
      const std::lock_guard lock{settled->mutex};
      if (settled->reader == nullptr) return;
      const std::lock_guard statistics_lock{settled->reader->mutex_};
      settled->reader->statistics_.acknowledged += number;
    });
  }

  /// Moves an entry that cannot be handled to the dead letters, then acknowledges it.
  void bury(const Stream& stream, const std::string& id, const Fields& fields, const Status& why,
            std::int64_t deliveries) {
    count(&ReaderStatistics::dead_lettered);
    if (options_.group.empty()) return;
    Command command{"XADD", stream.subscribed.key + ".dead", "*"};
    command.add("dead-id").add(id).add("dead-reason").add(std::string{why.what()});
    command.add("dead-deliveries").add(deliveries);
    for (const auto& [name, value] : fields) command.add(name).add(value);
    writer_.ask(std::move(command), [settled = settled_, key = stream.subscribed.key, id](
                                        const Status& lost, Reply& reply) {
      // Not buried: it stays pending and comes again.
      if (!lost.ok() || reply.is_error()) return;
      const std::lock_guard lock{settled->mutex};
      if (settled->reader != nullptr) settled->reader->acknowledge(key, id);
    });
  }

  // ---- Claiming -------------------------------------------------------------------------------

  /// Refreshes our own claims and looks for events whose consumer is silent.
  SteadyTime claim(SteadyTime now) {
    take_claims();
    if (now < next_claim_) return next_claim_;
    next_claim_ = now + options_.claim_after / 3;
    std::map<std::string, std::vector<std::string>> ours;
    for (const auto& [entry, flight] : in_flight_) {
      if (now - flight.since > options_.claim_after / 4) ours[entry.first].push_back(entry.second);
    }
    for (auto& [key, ids] : ours) {
      Command refresh{"XCLAIM", key, options_.group, consumer_, "0"};
      for (std::string& id : ids) refresh.add(std::move(id));
      writer_.ask(refresh.add("JUSTID"), [](const Status&, Reply&) {});
    }
    if (in_flight_.size() + backlog_.size() >= options_.max_in_flight) return next_claim_;
    for (auto& entry : streams_) {
      const Stream& stream = *entry.second;
      if (!stream.ready) continue;
      Command pending{"XPENDING", stream.subscribed.key, options_.group, "IDLE"};
      pending.add(std::int64_t{options_.claim_after.count()}).add("-").add("+").add("100");
      writer_.ask(std::move(pending),
                  [settled = settled_, type = entry.first](const Status& lost, Reply& reply) {
                    if (!lost.ok() || reply.is_error()) return;
                    const std::lock_guard lock{settled->mutex};
                    if (settled->reader != nullptr) settled->reader->claim_silent(type, reply);
                  });
    }
    return next_claim_;
  }

  /// Takes over what XPENDING listed: an id, its consumer, its idle time, its deliveries.
  void claim_silent(const std::string& type, const Reply& pending) {
    if (pending.items.empty()) return;
    const std::string key = options_.key_prefix + type;
    Command claim{"XCLAIM", key, options_.group, consumer_};
    claim.add(std::int64_t{options_.claim_after.count()});
    std::map<std::string, std::int64_t> deliveries;
    for (const Reply& entry : pending.items) {
      if (entry.items.size() != 4) continue;
      claim.add(entry.items[0].text);
      deliveries[entry.items[0].text] = entry.items[3].integer;
    }
    writer_.ask(std::move(claim), [settled = settled_, type, deliveries = std::move(deliveries)](
                                      const Status& lost, Reply& reply) {
      if (!lost.ok() || reply.is_error()) return;
      const std::lock_guard lock{settled->mutex};
      if (settled->reader == nullptr) return;
      const std::lock_guard reader_lock{settled->reader->mutex_};
      for (Reply& entry : reply.items) {
        if (entry.items.empty()) continue;
        const auto found = deliveries.find(entry.items[0].text);
        settled->reader->claims_.push_back(
            {type, std::move(entry), found == deliveries.end() ? 0 : found->second});
      }
      settled->reader->link_.notify();
    });
  }

  struct Claimed {
    std::string type;
    Reply entry;
    std::int64_t deliveries;  ///< before this one
  };

  void take_claims() {
    std::vector<Claimed> claims;
    {
      const std::lock_guard lock{mutex_};
      claims.swap(claims_);
      statistics_.claimed += claims.size();
    }
    for (Claimed& claimed : claims) {
      const auto found = streams_.find(claimed.type);
      if (found == streams_.end()) continue;
      const std::string id = claimed.entry.items[0].text;
      if (in_flight_.count({found->second->subscribed.key, id}) != 0) continue;
      if (claimed.deliveries >= std::int64_t{options_.max_deliveries}) {
        Fields fields;
        if (claimed.entry.items.size() == 2) {
          auto& items = claimed.entry.items[1].items;
          for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
            fields.emplace_back(std::move(items[i].text), std::move(items[i + 1].text));
          }
        }
        bury(*found->second, id, fields, RetryableError{"delivered too often"}, claimed.deliveries);
      } else {
        take_entry(found->second, claimed.entry);
      }
    }
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
      const std::string type = stream->subscribed.type;
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

  void count(std::uint64_t ReaderStatistics::*counter) {
    const std::lock_guard lock{mutex_};
    ++(statistics_.*counter);
  }

  const RedisOptions& options_;
  Writer& writer_;
  const std::string consumer_;
  const std::shared_ptr<Settled> settled_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> client_id_{0};  ///< of the connection, for CLIENT UNBLOCK

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Stream>> changes_;
  std::vector<std::string> removals_;
  std::vector<Claimed> claims_;
  ReaderStatistics statistics_;

  // The link's thread alone.
  std::map<std::string, std::shared_ptr<Stream>> streams_;  ///< by event type
  std::map<EntryKey, InFlight> in_flight_;
  std::deque<Waiting> backlog_;
  RecentIds seen_;
  bool reading_ = false;
  std::size_t turn_ = 0;
  SteadyTime next_claim_{};
  Link<StreamReader> link_;
};

}  // namespace gossip::redis
