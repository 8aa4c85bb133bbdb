// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamAcknowledgements: tells the server which entries of streams are done with. Layer: redis.

#include <gossip/core/errc.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/back_reference.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/refusals.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// The key of a stream, and an entry's id within it.
using EntryKey = std::pair<std::string, std::string>;

/// Acknowledges entries until the server has confirmed it; till then each takes the room of one that is
/// read. What the server refuses is told once, and remembered: such an entry comes again when it is
/// claimed, and then it is acknowledged once more and not handled again. Does nothing without a group.
///
/// Thread safety: any thread.
class StreamAcknowledgements {
 public:
  /// @param options  valid; outlive it
  /// @param wake     called on the writer's thread when there is room again; `wake_context` is its
  StreamAcknowledgements(const RedisOptions& options, Writer& writer, void (*wake)(void*) noexcept,
                         void* wake_context)
      : options_{options},
        writer_{writer},
        wake_{wake},
        wake_context_{wake_context},
        self_{*this} {}
  StreamAcknowledgements(const StreamAcknowledgements&) = delete;
  StreamAcknowledgements& operator=(const StreamAcknowledgements&) = delete;
  ~StreamAcknowledgements() { self_.end(); }

  /// Acknowledges entries of one stream.
  /// @throws std::bad_alloc; nothing has been acknowledged then
  void send(const std::string& key, const std::vector<std::string>& ids) {
    if (options_.group.empty() || ids.empty()) return;
    Command command{"XACK", key, options_.group};
    for (const std::string& id : ids) command.add(id);
    {
      const std::lock_guard lock{mutex_};
      unconfirmed_ += ids.size();
    }
    try {
      ask(command);
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock{mutex_};
      unconfirmed_ -= ids.size();
      throw;
    }
  }
  /// An entry has come that may be finished, with its acknowledgement refused.
  /// @return  true if it is one; it is acknowledged once more then
  /// @throws  std::bad_alloc
  bool send_again(const EntryKey& entry) {
    std::set<EntryKey>::node_type known;
    {
      const std::lock_guard lock{mutex_};
      known = finished_.extract(entry);
    }
    if (known.empty()) return false;
    try {
      send(entry.first, {entry.second});
    } catch (const std::bad_alloc&) {
      const std::lock_guard lock{mutex_};
      finished_.insert(std::move(known));
      throw;
    }
    return true;  // refused again, it is there again
  }

  /// How many more entries may be read beside so many. If none, whoever asks is woken when that changes.
  [[nodiscard]] std::size_t room_beside(std::size_t held) {
    const std::lock_guard lock{mutex_};
    starved_ = held + unconfirmed_ >= options_.max_in_flight;
    return starved_ ? 0 : options_.max_in_flight - held - unconfirmed_;
  }
  /// Whether there is room again for who had none; once.
  [[nodiscard]] bool take_room() noexcept {
    const std::lock_guard lock{mutex_};
    return std::exchange(has_room_again_, false);
  }
  /// As above; it remains so.
  [[nodiscard]] bool has_room_again() const noexcept {
    const std::lock_guard lock{mutex_};
    return has_room_again_;
  }
  /// How many the server has confirmed. // entries
  [[nodiscard]] std::uint64_t confirmed() const noexcept {
    const std::lock_guard lock{mutex_};
    return confirmed_;
  }
  /// Whoever asks the server about streams notes there what is refused; may outlive this.
  [[nodiscard]] const std::shared_ptr<Refusals>& refusals() const noexcept { return refusals_; }

 private:
  void ask(const Command& command) {
    writer_.ask(
        command,
        [self = self_, refusals = refusals_, command](const Status& lost, Reply& reply) {
          const bool done = lost.ok() && !refusals->refused("XACK", command.arguments()[1], reply);
          self.with([&](StreamAcknowledgements& to) { to.take_answer(command, lost, done); });
        },
        AtTheEnd::sent);
  }
  /// One that is lost is sent again: whoever else claims the event would handle it a second time, and
  /// knows nothing of our window of ids.
  void take_answer(const Command& command, const Status& lost, bool done) noexcept {
    const std::vector<std::string>& words = command.arguments();  // XACK, key, group, ids
    if (!lost.ok() && lost != Errc::closed) {
      try {
        return ask(command);
      } catch (const std::bad_alloc&) {  // as good as refused: it is claimed, and comes again
      }
    }
    {
      const std::lock_guard lock{mutex_};
      unconfirmed_ -= words.size() - 3;
      if (done) confirmed_ += words.size() - 3;
      if (!done) remember(words);
      if (!std::exchange(starved_, false)) return;
      has_room_again_ = true;
    }
    wake_(wake_context_);
  }
  /// @pre the lock is held
  void remember(const std::vector<std::string>& words) noexcept {
    try {
      for (std::size_t i = 3; i < words.size(); ++i) {
        // One too many may be handled again; memory has its bound.
        if (finished_.size() == most_finished) finished_.erase(finished_.begin());
        finished_.emplace(words[1], words[i]);
      }
    } catch (const std::bad_alloc&) {  // as where there are too many
    }
  }

  static constexpr std::size_t most_finished = 16'384;  // entries

  const RedisOptions& options_;
  Writer& writer_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamAcknowledgements> self_;
  const std::shared_ptr<Refusals> refusals_ = std::make_shared<Refusals>(writer_.condition());
  mutable std::mutex mutex_;
  std::size_t unconfirmed_ = 0;  ///< sent // entries
  std::uint64_t confirmed_ = 0;
  bool starved_ = false;         ///< there was no room
  bool has_room_again_ = false;  ///< since take_room()
  std::set<EntryKey> finished_;  ///< and their acknowledgement was refused
};

}  // namespace gossip::redis
