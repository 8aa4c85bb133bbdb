// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamIntake: what was read from streams, on its way into the bus and back. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/receipt.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/back_reference.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/deduplication.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/writer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// The fields of an entry of a stream, moved out of the reply. Empty if the entry was trimmed.
[[nodiscard]] inline Fields take_fields(Reply& entry) {
  Fields fields;
  if (entry.items.size() != 2) return fields;
  std::vector<Reply>& items = entry.items[1].items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    fields.emplace_back(std::move(items[i].text), std::move(items[i + 1].text));
  }
  return fields;
}

/// Puts entries of streams into the bus, keeps those for which there is no room, and tells the server
/// what became of them: acknowledged once handled, buried if nobody can ever handle them.
///
/// Thread safety: statistics, count, settled_waiting from any thread; the rest belongs to the thread
/// of the connection.
class StreamIntake {
 public:
  /// The key of a stream, and an entry's id within it.
  using EntryKey = std::pair<std::string, std::string>;

  /// @param wake  makes the connection's thread call settle(); any thread, `wake_context` is its
  StreamIntake(const RedisOptions& options, Writer& writer, void (*wake)(void*) noexcept,
               void* wake_context)
      : options_{options},
        writer_{writer},
        wake_{wake},
        wake_context_{wake_context},
        self_{*this},
        seen_{options.deduplication_window} {}
  StreamIntake(const StreamIntake&) = delete;
  StreamIntake& operator=(const StreamIntake&) = delete;
  ~StreamIntake() { self_.end(); }

  /// Takes an entry: an id and its fields; no fields if it was trimmed while it was pending.
  void take(const std::shared_ptr<const Subscribed>& type, Reply& entry) {
    if (entry.items.size() != 2) return;
    const std::string id = entry.items[0].text;
    const Fields fields = take_fields(entry);
    if (fields.empty()) {
      note_trimmed(*type);
      return acknowledge(type->key, {id});
    }
    Waiting waiting{type, id, {}};
    Status status = decode_fields(fields, waiting.event, options_.maximum_payload);
    if (status.ok() && waiting.event.type != type->type) {
      status = ValidationError{"type", "another type than that of the stream"};
    }
    if (!status.ok()) return bury(type->key, id, fields, status, 0);
    backlog_.push_back(std::move(waiting));
    deliver();
  }

  /// An entry is gone from its stream that nobody has handled.
  void note_trimmed(const Subscribed& type) {
    count(&ReaderStatistics::trimmed);
    if (options_.on_gap) options_.on_gap({type.type, "trimmed before they were handled", 1});
  }

  /// Puts what has been taken into the bus, as far as there is room.
  void deliver() {
    while (!backlog_.empty() && deliver_first()) backlog_.pop_front();
  }

  /// Tells the server of what the bus is done with.
  void settle() {
    std::vector<Done> done;
    {
      const std::lock_guard lock{mutex_};
      done.swap(done_);
      has_room_again_ = false;
    }
    std::map<std::string, std::vector<std::string>> handled;
    for (Done& entry : done) {
      const auto found = in_flight_.find(entry.key);
      if (found == in_flight_.end()) continue;
      if (entry.failed) {
        count(&ReaderStatistics::not_handled);
      } else {
        seen_.add(found->second.event_id);
        handled[entry.key.first].push_back(std::move(entry.key.second));
      }
      forget(found);
    }
    for (auto& [key, ids] : handled) acknowledge(key, std::move(ids));
    const std::lock_guard lock{mutex_};
    statistics_.in_flight = in_flight_.size();
  }

  /// Moves an entry that cannot be handled to the dead letters, then acknowledges it.
  void bury(const std::string& key, const std::string& id, const Fields& fields, const Status& why,
            std::int64_t deliveries) {
    count(&ReaderStatistics::dead_lettered);
    if (options_.group.empty()) return;
    Command command{"XADD", key + ".dead", "*"};
    command.add("dead-id").add(id).add("dead-reason").add(std::string{why.what()});
    command.add("dead-deliveries").add(deliveries);
    for (const auto& [name, value] : fields) command.add(name).add(value);
    writer_.ask(std::move(command), [self = self_, key, id](const Status& lost, Reply& reply) {
      // Not buried: it stays pending and comes again.
      if (!lost.ok() || reply.is_error()) return;
      self.with([&](StreamIntake& intake) { intake.acknowledge(key, {id}); });
    });
  }

  /// How many more may be read, and how many wait for room in the bus. // events
  /// @{
  [[nodiscard]] std::size_t room() {
    const std::lock_guard lock{mutex_};
    const std::size_t held = in_flight_.size() + unacknowledged_;
    starved_ = held >= options_.max_in_flight;
    return starved_ ? 0 : options_.max_in_flight - held;
  }
  [[nodiscard]] std::size_t backlog() const noexcept { return backlog_.size(); }
  /// @}
  /// True if that entry is in the bus.
  [[nodiscard]] bool holds(const std::string& key, const std::string& id) const {
    return in_flight_.contains({key, id});
  }
  /// The ids, by stream, of what has been in the bus since `time` or longer.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> held_since(SteadyTime time) const {
    std::map<std::string, std::vector<std::string>> held;
    for (const auto& [key, flight] : in_flight_) {
      if (flight.since <= time) held[key.first].push_back(key.second);
    }
    return held;
  }

  /// What has been received and settled. @par Thread safety any thread
  [[nodiscard]] ReaderStatistics statistics() const {
    const std::lock_guard lock{mutex_};
    return statistics_;
  }
  /// Adds to one of the statistics. @par Thread safety any thread
  void count(std::uint64_t ReaderStatistics::*counter, std::uint64_t by = 1) {
    const std::lock_guard lock{mutex_};
    statistics_.*counter += by;
  }
  /// True if settle() would find something.
  [[nodiscard]] bool settled_waiting() const {
    const std::lock_guard lock{mutex_};
    return !done_.empty() || has_room_again_;
  }

 private:
  struct InFlight {
    std::string event_id;
    SteadyTime since{};
  };
  struct Done {
    EntryKey key;
    bool failed = false;
  };
  /// An event that has been read and is not in the bus yet.
  struct Waiting {
    std::shared_ptr<const Subscribed> type;
    std::string id;
    WireEvent event;
  };

  struct EntryReceipt : ReceiptState {
    EntryReceipt(BackReference<StreamIntake> to, EntryKey entry)
        : ReceiptState{&settle_entry}, intake{std::move(to)}, key{std::move(entry)} {}
    static void settle_entry(ReceiptState* state) noexcept {
      const std::unique_ptr<EntryReceipt> self{static_cast<EntryReceipt*>(state)};
      if (!self->withdrawn) {
        self->intake.with(
            [&](StreamIntake& to) { to.note_done(std::move(self->key), self->failed); });
      }
    }
    BackReference<StreamIntake> intake;
    EntryKey key;
    bool withdrawn = false;  ///< never got into the bus
  };

  void note_done(EntryKey key, bool failed) noexcept {
    try {
      const std::lock_guard lock{mutex_};
      done_.push_back({std::move(key), failed});
    } catch (const std::bad_alloc&) {
      return;  // not acknowledged: it will be claimed again
    }
    wake_(wake_context_);
  }

  void forget(std::map<EntryKey, InFlight>::iterator flight) {
    event_ids_.erase(flight->second.event_id);
    in_flight_.erase(flight);
  }

  /// @return false if there is no room
  bool deliver_first() {
    Waiting& first = backlog_.front();
    const EntryKey key{first.type->key, first.id};
    if (in_flight_.contains(key)) return true;  // claimed from ourselves: it still runs
    // Whichever copy came first stays pending until it is handled.
    if (seen_.contains(first.event.id) || event_ids_.contains(first.event.id)) {
      count(&ReaderStatistics::duplicates);
      acknowledge(key.first, {key.second});
      return true;
    }
    auto* state = new EntryReceipt{self_, key};
    Receipt receipt{state};
    const auto flight =
        in_flight_.insert({key, {first.event.id, std::chrono::steady_clock::now()}}).first;
    if (options_.deduplication_window != 0 && !first.event.id.empty()) {
      event_ids_.insert(first.event.id);
    }
    const Status status = first.type->inbound(first.event, receipt);
    if (status.ok()) {
      count(&ReaderStatistics::received);
      return true;
    }
    state->withdrawn = true;
    forget(flight);
    if (status == Errc::queue_full) return false;
    if (status == Errc::closed) return true;  // it stays pending at the server
    Fields fields;
    static_cast<void>(encode_fields(first.event, fields, options_.compress_above));
    bury(key.first, key.second, fields, status, 0);
    return true;
  }

  void acknowledge(const std::string& key, std::vector<std::string> ids) {
    if (options_.group.empty()) return;
    Command command{"XACK", key, options_.group};
    for (std::string& id : ids) command.add(std::move(id));
    {
      const std::lock_guard lock{mutex_};
      unacknowledged_ += ids.size();
    }
    acknowledge(command, ids.size());
  }
  /// One that is lost is sent again: whoever else claims the event would handle it a second time, and
  /// knows nothing of our window of ids. Any thread.
  void acknowledge(const Command& command, std::size_t number) {
    writer_.ask(command, [self = self_, command, number](const Status& lost, Reply& reply) {
      self.with([&](StreamIntake& to) {
        if (!lost.ok() && lost != Errc::closed) return to.acknowledge(command, number);
        to.note_acknowledged(number, lost.ok() && !reply.is_error());
      });
    });
  }
  void note_acknowledged(std::size_t number, bool done) {
    {
      const std::lock_guard lock{mutex_};
      unacknowledged_ -= number;
      if (done) statistics_.acknowledged += number;
      if (!std::exchange(starved_, false)) return;
      has_room_again_ = true;
    }
    wake_(wake_context_);
  }

  const RedisOptions& options_;
  Writer& writer_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamIntake> self_;

  mutable std::mutex mutex_;
  std::vector<Done> done_;
  std::size_t unacknowledged_ = 0;  ///< handled, and the server has not confirmed it // events
  bool starved_ = false;            ///< there was no room
  bool has_room_again_ = false;     ///< since settle()
  ReaderStatistics statistics_;

  // The connection's thread alone.
  std::map<EntryKey, InFlight> in_flight_;
  std::set<std::string> event_ids_;  ///< of what is in flight
  std::deque<Waiting> backlog_;
  RecentIds seen_;
};

}  // namespace gossip::redis
