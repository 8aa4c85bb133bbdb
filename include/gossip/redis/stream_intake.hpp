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
#include <gossip/redis/dead_letter.hpp>
#include <gossip/redis/deduplication.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/refusals.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/statistics.hpp>
#include <gossip/redis/stream_acknowledgements.hpp>
#include <gossip/redis/stream_backlog.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/tell.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/writer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// Puts entries of streams into the bus, keeps those for which there is no room, and tells the server
/// what became of them: acknowledged once handled, buried if nobody can ever handle them. What the
/// server refuses of that is told to RedisOptions::on_state; such an entry comes again when it is claimed,
/// and then only what was refused is tried once more.
///
/// Memory that runs out is an exception from what the connection's thread calls, which may go on later:
/// nothing is held for ever by it, nor acknowledged that nobody has handled.
///
/// Thread safety: statistics and count from any thread; the rest belongs to the thread of the
/// connection.
class StreamIntake {
 public:
  /// @param wake  makes the connection's thread call settle(); any thread, `wake_context` is its
  StreamIntake(const RedisOptions& options, Writer& writer, void (*wake)(void*) noexcept,
               void* wake_context)
      : options_{options},
        writer_{writer},
        wake_{wake},
        wake_context_{wake_context},
        self_{*this},
        acknowledgements_{options, writer, wake, wake_context},
        seen_{options.deduplication_window} {}
  StreamIntake(const StreamIntake&) = delete;
  StreamIntake& operator=(const StreamIntake&) = delete;
  ~StreamIntake() {
    self_.end();
    while (done_ != nullptr) done_ = std::move(done_->next);
  }

  /// Takes an entry: an id and its fields; no fields if it was trimmed while it was pending. From now on
  /// it is held, until the bus is done with it.
  /// @param deliveries  how often it has been delivered, with this time
  void take(const std::shared_ptr<const Subscribed>& type, Reply& entry,
            std::int64_t deliveries = 1) {
    if (entry.items.size() != 2 || closed_) return;
    const EntryKey key{type->key, entry.items[0].text};
    if (held_.contains(key)) return;  // claimed from ourselves: it waits, or runs
    if (acknowledgements_.send_again(key)) return;
    if (const Status whole = check_size(entry); !whole.ok()) {
      return bury(*type, key.second, {}, whole, deliveries);
    }
    WaitingEvent waiting{type, key.second, deliveries, take_fields(entry), {}, 0};
    if (waiting.fields.empty()) {
      note_trimmed(*type);
      return acknowledgements_.send(key.first, {key.second});
    }
    Status status = decode_fields(waiting.fields, waiting.event, options_.maximum_payload);
    if (status.ok() && waiting.event.type != type->type) {
      status = ValidationError{"type", "another type than that of the stream"};
    }
    if (!status.ok()) return bury(*type, key.second, waiting.fields, status, deliveries);
    const SteadyTime now = std::chrono::steady_clock::now();
    hold(key, std::move(waiting), now);
    deliver(now);
  }

  /// An entry is gone from its stream that nobody has handled.
  void note_trimmed(const Subscribed& type) {
    const Gap gap{type.type, "trimmed before they were handled", 1};
    count(&ReaderStatistics::trimmed);
    tell(options_.on_gap, gap);
  }

  /// Puts what has been taken into the bus, as far as there is room; not before `due()`.
  void deliver(SteadyTime now) {
    if (now < backlog_.due()) return;
    while (!backlog_.empty() && !closed_ && deliver_first()) backlog_.pop();
    if (!backlog_.empty()) backlog_.refused(now);
    if (!closed_) return;
    for (const WaitingEvent& waiting : backlog_.all()) held_.erase({waiting.type->key, waiting.id});
    backlog_.clear();
  }
  /// When there may be room in the bus, if nothing that is in it is done with before.
  [[nodiscard]] SteadyTime due() const noexcept { return backlog_.due(); }
  /// True once the bus takes no more. What waited for it stays pending at the server, for others.
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  /// Tells the server of what the bus is done with.
  /// @throws std::bad_alloc; the next call goes on from there
  void settle() {
    static_cast<void>(acknowledgements_.take_room());
    while (settling_ != nullptr || take_done()) settle_first();
    for (; !handled_.empty(); handled_.erase(handled_.begin())) {
      acknowledgements_.send(handled_.begin()->first, handled_.begin()->second);
    }
    const std::lock_guard lock{mutex_};
    statistics_.in_flight = held_.size() - backlog_.size();
  }

  /// Moves an entry that cannot be handled to the dead letters, as it was received, and then acknowledges
  /// it. Without a group nobody else is concerned: RedisOptions::on_undecodable is told.
  void bury(const Subscribed& type, const std::string& id, const Fields& fields, const Status& why,
            std::int64_t deliveries) {
    if (options_.group.empty()) return tell_undecodable(type, fields, why);
    const EntryKey entry{type.key, id};
    if (acknowledgements_.send_again(entry)) return;
    // Nobody claims it meanwhile, and it is not buried twice.
    const auto [held, is_new] = held_.emplace(entry, Held{{}, std::chrono::steady_clock::now()});
    if (!is_new) return;
    try {
      bury_held(entry, fields, why, deliveries);
    } catch (const std::bad_alloc&) {
      held_.erase(held);
      throw;
    }
  }

  /// Whoever asks the server about streams notes there what is refused; may outlive the intake.
  [[nodiscard]] const std::shared_ptr<Refusals>& refusals() const noexcept {
    return acknowledgements_.refusals();
  }

  /// How many more may be read, how many wait for room in the bus, how many are not done with, and how many
  /// of these are on their way to the dead letters.
  /// @{
  [[nodiscard]] std::size_t room() { return acknowledgements_.room_beside(held_.size()); }
  [[nodiscard]] std::size_t backlog() const noexcept { return backlog_.size(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }
  [[nodiscard]] std::size_t being_buried() const noexcept { return being_buried_; }
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
    ReaderStatistics statistics = statistics_;
    statistics.acknowledged = acknowledgements_.confirmed();
    return statistics;
  }
  /// Adds to one of the statistics. @par Thread safety any thread
  void count(std::uint64_t ReaderStatistics::*counter, std::uint64_t by = 1) {
    const std::lock_guard lock{mutex_};
    statistics_.*counter += by;
  }
  /// True if settle() would find something.
  [[nodiscard]] bool settled_waiting() const {
    if (settling_ != nullptr || !handled_.empty() || acknowledgements_.has_room_again())
      return true;
    const std::lock_guard lock{mutex_};
    return done_ != nullptr;
  }

 private:
  struct Held {
    std::string identity;  ///< of the event, while it is in the bus
    SteadyTime since{};    ///< when it was taken
  };
  /// Settled, it is its own place in the list of what is done with: that never fails.
  struct EntryReceipt : ReceiptState {
    EntryReceipt(BackReference<StreamIntake> to, EntryKey entry, bool of_burial = false)
        : ReceiptState{&settle_entry},
          intake{std::move(to)},
          key{std::move(entry)},
          burial{of_burial} {
      failed.store(of_burial, std::memory_order_relaxed);  // until the server has confirmed it
    }
    static void settle_entry(ReceiptState* state) noexcept {
      std::unique_ptr<EntryReceipt> self{static_cast<EntryReceipt*>(state)};
      if (self->withdrawn) return;
      const BackReference<StreamIntake> to = self->intake;
      to.with([&](StreamIntake& owner) { owner.note_done(std::move(self)); });
    }
    const BackReference<StreamIntake> intake;
    const EntryKey key;
    const bool burial;                   ///< not of an event in the bus, but of its dead letter
    bool withdrawn = false;              ///< never got there
    std::unique_ptr<EntryReceipt> next;  ///< that was done before
  };

  void note_done(std::unique_ptr<EntryReceipt> done) noexcept {
    {
      const std::lock_guard lock{mutex_};
      done->next = std::move(done_);
      done_ = std::move(done);
    }
    wake_(wake_context_);
  }
  /// Takes what is done with, the first one first. @return whether there is any
  bool take_done() noexcept {
    std::unique_ptr<EntryReceipt> last;
    {
      const std::lock_guard lock{mutex_};
      last = std::move(done_);
    }
    while (last != nullptr) {
      std::unique_ptr<EntryReceipt> before = std::move(last->next);
      last->next = std::move(settling_);
      settling_ = std::move(last);
      last = std::move(before);
    }
    return settling_ != nullptr;
  }
  /// What may throw comes first, and may be done twice.
  void settle_first() {
    backlog_.hurry();
    const EntryReceipt& entry = *settling_;
    const auto found = held_.find(entry.key);
    if (found != held_.end()) {
      const bool failed = entry.failed.load(std::memory_order_relaxed);
      if (!failed && !entry.burial) seen_.add(found->second.identity);
      if (!failed && !options_.group.empty()) {
        handled_[entry.key.first].push_back(entry.key.second);
      }
      if (failed && !entry.burial) count(&ReaderStatistics::not_handled);
      if (!failed && entry.burial) count(&ReaderStatistics::dead_lettered);
      forget(found);
    }
    if (entry.burial) --being_buried_;
    settling_ = std::move(settling_->next);
  }

  void hold(const EntryKey& key, WaitingEvent waiting, SteadyTime now) {
    backlog_.push(std::move(waiting));
    try {
      held_.emplace(key, Held{{}, now});
    } catch (const std::bad_alloc&) {
      backlog_.take_back();
      throw;
    }
  }
  void forget(std::map<EntryKey, Held>::iterator held) {
    identities_.erase(held->second.identity);
    held_.erase(held);
  }

  void tell_undecodable(const Subscribed& type, const Fields& fields, const Status& why) {
    count(&ReaderStatistics::dead_lettered);
    std::string_view data;
    for (const auto& [name, value] : fields) {
      if (name == "data") data = value;
    }
    tell(options_.on_undecodable, type.type, data, why);
  }

  /// Writes the dead letter of one that is held. Not buried, it stays pending, and comes again.
  void bury_held(const EntryKey& entry, const Fields& fields, const Status& why,
                 std::int64_t deliveries) {
    Command command = dead_letter(entry.first, entry.second, why, deliveries, fields);
    const std::string grave = grave_of(entry.first);
    auto* state = new EntryReceipt{self_, entry, true};
    const Receipt receipt{state};
    try {
      writer_.ask(
          std::move(command),
          [receipt, state, refusals = refusals(), grave](const Status& lost, Reply& reply) {
            const bool buried = lost.ok() && !refusals->refused("XADD", grave, reply);
            state->failed.store(!buried, std::memory_order_relaxed);
          },
          AtTheEnd::sent);
      ++being_buried_;
    } catch (const std::bad_alloc&) {
      state->withdrawn = true;
      throw;
    }
  }

  /// How often memory may run out for an event that would not come again: it may claim to be larger than any
  /// memory. // times
  static constexpr unsigned most_failures = 8;

  /// @return false if there is no room, or no memory for it now
  bool deliver_first() {
    WaitingEvent& first = backlog_.front();
    const EntryKey key{first.type->key, first.id};
    const auto held = held_.find(key);
    std::string identity = first.identity();
    // Whichever copy came first stays pending until it is handled.
    if (seen_.contains(identity) || identities_.contains(identity)) {
      acknowledgements_.send(key.first, {key.second});
      count(&ReaderStatistics::duplicates);
      held_.erase(held);
      return true;
    }
    auto* state = new EntryReceipt{self_, key};
    Receipt receipt{state};
    state->withdrawn = true;  // unless it gets into the bus
    if (options_.deduplication_window != 0 && !identity.empty()) identities_.insert(identity);
    held->second.identity = std::move(identity);
    state->withdrawn = false;
    const Status status = enter(first, receipt);
    if (status.ok()) {
      count(&ReaderStatistics::received);
      return true;
    }
    state->withdrawn = true;
    identities_.erase(held->second.identity);
    if (status == Errc::queue_full) return false;
    if (options_.group.empty() && is_retryable(status) && ++first.failures < most_failures) {
      return false;  // nobody else would bring it again
    }
    if (status == Errc::closed) {
      closed_ = true;
    } else if (options_.group.empty()) {
      tell_undecodable(*first.type, first.fields, status);
    } else if (is_retryable(status)) {
      count(&ReaderStatistics::not_handled);  // pending, it comes again
    } else {
      bury_held(key, first.fields, status, first.deliveries);
      return true;
    }
    held_.erase(held);
    return true;
  }
  static Status enter(WaitingEvent& event, Receipt& receipt) noexcept {
    try {
      return event.type->inbound(event.event, receipt);
    } catch (const std::bad_alloc&) {
      return Errc::retryable;
    } catch (...) {
      return status_of_current_exception();
    }
  }

  const RedisOptions& options_;
  Writer& writer_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamIntake> self_;
  StreamAcknowledgements acknowledgements_;

  mutable std::mutex mutex_;
  std::unique_ptr<EntryReceipt> done_;  ///< not yet settled, the last one first
  ReaderStatistics statistics_;

  // The connection's thread alone.
  std::map<EntryKey, Held> held_;     ///< in the backlog, in the bus, or being buried
  std::set<std::string> identities_;  ///< of what is in the bus
  StreamBacklog backlog_;
  RecentIds seen_;  ///< identities of what was handled
  bool closed_ = false;
  std::size_t being_buried_ = 0;
  std::unique_ptr<EntryReceipt> settling_;                   ///< taken from done_
  std::map<std::string, std::vector<std::string>> handled_;  ///< ids to acknowledge, by stream
};

}  // namespace gossip::redis
