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
#include <gossip/redis/refusals.hpp>
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
#include <string_view>
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
/// what became of them: acknowledged once handled, buried if nobody can ever handle them. What the
/// server refuses of that is told to RedisOptions::on_state; such an entry comes again when it is claimed,
/// and then only what was refused is tried once more.
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

  /// Takes an entry: an id and its fields; no fields if it was trimmed while it was pending. From now on
  /// it is held, until the bus is done with it.
  /// @param deliveries  how often it has been delivered, with this time
  void take(const std::shared_ptr<const Subscribed>& type, Reply& entry,
            std::int64_t deliveries = 1) {
    if (entry.items.size() != 2 || closed_) return;
    const EntryKey key{type->key, entry.items[0].text};
    if (held_.contains(key)) return;  // claimed from ourselves: it waits, or runs
    if (acknowledged_again(key)) return;
    Waiting waiting{type, key.second, deliveries, take_fields(entry), {}};
    if (waiting.fields.empty()) {
      note_trimmed(*type);
      return acknowledge(key.first, {key.second});
    }
    Status status = decode_fields(waiting.fields, waiting.event, options_.maximum_payload);
    if (status.ok() && waiting.event.type != type->type) {
      status = ValidationError{"type", "another type than that of the stream"};
    }
    if (!status.ok()) return bury(*type, key.second, waiting.fields, status, deliveries);
    held_.emplace(key, Held{{}, std::chrono::steady_clock::now()});
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
    while (!backlog_.empty() && !closed_ && deliver_first()) backlog_.pop_front();
    if (!closed_) return;
    for (const Waiting& waiting : backlog_) held_.erase({waiting.type->key, waiting.id});
    backlog_.clear();
  }
  /// True once the bus takes no more. What waited for it stays pending at the server, for others.
  [[nodiscard]] bool closed() const noexcept { return closed_; }

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
      const auto found = held_.find(entry.key);
      if (found == held_.end()) continue;
      if (entry.outcome == Outcome::failed) count(&ReaderStatistics::not_handled);
      if (entry.outcome == Outcome::handled) seen_.add(found->second.identity);
      if (entry.outcome == Outcome::buried) count(&ReaderStatistics::dead_lettered);
      if (entry.outcome == Outcome::handled || entry.outcome == Outcome::buried) {
        handled[entry.key.first].push_back(std::move(entry.key.second));
      }
      forget(found);
    }
    for (auto& [key, ids] : handled) acknowledge(key, std::move(ids));
    const std::lock_guard lock{mutex_};
    statistics_.in_flight = held_.size() - backlog_.size();
  }

  /// Moves an entry that cannot be handled to the dead letters, as it was received, and then acknowledges
  /// it. Without a group nobody else is concerned: RedisOptions::on_undecodable is told.
  void bury(const Subscribed& type, const std::string& id, const Fields& fields, const Status& why,
            std::int64_t deliveries) {
    const EntryKey entry{type.key, id};
    if (options_.group.empty()) return tell_undecodable(type, fields, why);
    if (acknowledged_again(entry)) return;
    // Nobody claims it meanwhile, and it is not buried twice.
    if (!held_.emplace(entry, Held{{}, std::chrono::steady_clock::now()}).second) return;
    std::string grave = type.key;
    grave += ".dead";
    Command command{"XADD", grave, "*"};
    command.add("dead-id").add(id).add("dead-reason").add(std::string{why.what()});
    command.add("dead-deliveries").add(deliveries);
    for (const auto& [name, value] : fields) command.add(name).add(value);
    writer_.ask(std::move(command), [self = self_, refusals = refusals_, entry, grave](
                                        const Status& lost, Reply& reply) {
      const bool buried = lost.ok() && !refusals->refused("XADD", grave, reply);
      self.with([&](StreamIntake& intake) {
        // Not buried: it stays pending, and comes again.
        intake.note_done(entry, buried ? Outcome::buried : Outcome::not_buried);
      });
    });
  }

  /// Whoever asks the server about streams notes there what is refused; may outlive the intake.
  [[nodiscard]] const std::shared_ptr<Refusals>& refusals() const noexcept { return refusals_; }

  /// How many more may be read, how many wait for room in the bus, and how many are not done with.
  /// @{
  [[nodiscard]] std::size_t room() {
    const std::lock_guard lock{mutex_};
    const std::size_t held = held_.size() + unacknowledged_;
    starved_ = held >= options_.max_in_flight;
    return starved_ ? 0 : options_.max_in_flight - held;
  }
  [[nodiscard]] std::size_t backlog() const noexcept { return backlog_.size(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  /// @}
  /// True if that entry is in the bus, waits for room in it, or is being buried.
  [[nodiscard]] bool holds(const std::string& key, const std::string& id) const {
    return held_.contains({key, id});
  }
  /// The ids, by stream, of what has been held since `time` or longer.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> held_since(SteadyTime time) const {
    std::map<std::string, std::vector<std::string>> held;
    for (const auto& [key, entry] : held_) {
      if (entry.since <= time) held[key.first].push_back(key.second);
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
  struct Held {
    std::string identity;  ///< of the event, while it is in the bus
    SteadyTime since{};    ///< when it was taken
  };
  enum class Outcome : std::uint8_t { handled, failed, buried, not_buried };
  struct Done {
    EntryKey key;
    Outcome outcome = Outcome::failed;
  };
  /// An event that has been read and is not in the bus yet.
  struct Waiting {
    std::shared_ptr<const Subscribed> type;
    std::string id;
    std::int64_t deliveries;
    Fields fields;  ///< as received
    WireEvent event;
  };

  struct EntryReceipt : ReceiptState {
    EntryReceipt(BackReference<StreamIntake> to, EntryKey entry)
        : ReceiptState{&settle_entry}, intake{std::move(to)}, key{std::move(entry)} {}
    static void settle_entry(ReceiptState* state) noexcept {
      const std::unique_ptr<EntryReceipt> self{static_cast<EntryReceipt*>(state)};
      if (!self->withdrawn) {
        self->intake.with([&](StreamIntake& to) {
          to.note_done(std::move(self->key), self->failed ? Outcome::failed : Outcome::handled);
        });
      }
    }
    BackReference<StreamIntake> intake;
    EntryKey key;
    bool withdrawn = false;  ///< never got into the bus
  };

  void note_done(EntryKey key, Outcome outcome) noexcept {
    try {
      const std::lock_guard lock{mutex_};
      done_.push_back({std::move(key), outcome});
    } catch (const std::bad_alloc&) {
      return;  // not acknowledged: it will be claimed again
    }
    wake_(wake_context_);
  }

  void forget(std::map<EntryKey, Held>::iterator held) {
    identities_.erase(held->second.identity);
    held_.erase(held);
  }

  /// What tells an event from others: ids that others make need not differ from stream to stream.
  static std::string identity_of(const Waiting& waiting) {
    std::string identity;
    if (waiting.event.id.empty()) return identity;
    identity = waiting.type->key;
    identity += ' ';
    identity += waiting.event.id;
    return identity;
  }

  void tell_undecodable(const Subscribed& type, const Fields& fields, const Status& why) {
    count(&ReaderStatistics::dead_lettered);
    if (!options_.on_undecodable) return;
    std::string_view data;
    for (const auto& [name, value] : fields) {
      if (name == "data") data = value;
    }
    options_.on_undecodable(type.type, data, why);
  }

  /// @return false if there is no room
  bool deliver_first() {
    Waiting& first = backlog_.front();
    const EntryKey key{first.type->key, first.id};
    const auto held = held_.find(key);
    std::string identity = identity_of(first);
    // Whichever copy came first stays pending until it is handled.
    if (seen_.contains(identity) || identities_.contains(identity)) {
      count(&ReaderStatistics::duplicates);
      held_.erase(held);
      acknowledge(key.first, {key.second});
      return true;
    }
    auto* state = new EntryReceipt{self_, key};
    Receipt receipt{state};
    if (options_.deduplication_window != 0 && !identity.empty()) identities_.insert(identity);
    held->second.identity = std::move(identity);
    const Status status = first.type->inbound(first.event, receipt);
    if (status.ok()) {
      count(&ReaderStatistics::received);
      return true;
    }
    state->withdrawn = true;
    identities_.erase(held->second.identity);
    if (status == Errc::queue_full) return false;
    held_.erase(held);
    if (status == Errc::closed) {
      closed_ = true;
    } else {
      bury(*first.type, key.second, first.fields, status, first.deliveries);
    }
    return true;
  }

  /// An entry that is finished, but whose acknowledgement the server has refused: it comes again and
  /// again. @return true if it is one; it is acknowledged once more then
  bool acknowledged_again(const EntryKey& entry) {
    {
      const std::lock_guard lock{mutex_};
      if (finished_.erase(entry) == 0) return false;
    }
    acknowledge(entry.first, {entry.second});
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
    acknowledge(command);
  }
  /// One that is lost is sent again: whoever else claims the event would handle it a second time, and
  /// knows nothing of our window of ids. Any thread.
  void acknowledge(const Command& command) {
    writer_.ask(
        command, [self = self_, refusals = refusals_, command](const Status& lost, Reply& reply) {
          const bool done = lost.ok() && !refusals->refused("XACK", command.arguments()[1], reply);
          self.with([&](StreamIntake& to) {
            if (!lost.ok() && lost != Errc::closed) return to.acknowledge(command);
            to.note_acknowledged(command.arguments(), done);
          });
        });
  }
  /// @param words  of the command: XACK, key, group, ids
  void note_acknowledged(const std::vector<std::string>& words, bool done) {
    {
      const std::lock_guard lock{mutex_};
      unacknowledged_ -= words.size() - 3;
      if (done) statistics_.acknowledged += words.size() - 3;
      for (std::size_t i = 3; !done && i < words.size(); ++i) {
        // One too many may be handled again; memory has its bound.
        if (finished_.size() == most_finished) finished_.erase(finished_.begin());
        finished_.emplace(words[1], words[i]);
      }
      if (!std::exchange(starved_, false)) return;
      has_room_again_ = true;
    }
    wake_(wake_context_);
  }

  static constexpr std::size_t most_finished = 16'384;  // entries

  const RedisOptions& options_;
  Writer& writer_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamIntake> self_;
  const std::shared_ptr<Refusals> refusals_ = std::make_shared<Refusals>(options_);

  mutable std::mutex mutex_;
  std::vector<Done> done_;
  std::size_t unacknowledged_ = 0;  ///< handled, and the server has not confirmed it // events
  bool starved_ = false;            ///< there was no room
  bool has_room_again_ = false;     ///< since settle()
  std::set<EntryKey> finished_;     ///< and their acknowledgement was refused
  ReaderStatistics statistics_;

  // The connection's thread alone.
  std::map<EntryKey, Held> held_;     ///< in the backlog, in the bus, or being buried
  std::set<std::string> identities_;  ///< of what is in the bus
  std::deque<Waiting> backlog_;
  RecentIds seen_;  ///< identities of what was handled
  bool closed_ = false;
};

}  // namespace gossip::redis
