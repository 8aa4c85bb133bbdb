// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// StreamClaims: keeps what we handle, and takes over what silent consumers hold. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/back_reference.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/question.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/refusals.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/send_window.hpp>
#include <gossip/redis/stream_fields.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/stream_place.hpp>
#include <gossip/redis/writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// The idle time of an event begins when it is read, so that a slow processor would be robbed of it:
/// each third of `claim_after` it refreshes the claims on what we hold, be it in the bus or not yet. Then,
/// if there is room, it asks which events are idle, and claims them, unless somebody else does first; one
/// that was delivered too often is buried. XPENDING and XCLAIM serve, since they tell how often an event
/// was delivered. No more than there is room for is claimed at once, and less after each lost answer;
/// where more is idle, it goes on at once.
///
/// Thread safety: has_claimed from any thread; the rest belongs to the thread of the connection.
class StreamClaims {
 public:
  /// As a reader sees them.
  using Streams = std::vector<std::shared_ptr<StreamPlace>>;

  /// @param wake  as StreamIntake's
  StreamClaims(const RedisOptions& options, Writer& writer, std::string consumer,
               StreamIntake& intake, void (*wake)(void*) noexcept, void* wake_context)
      : options_{options},
        writer_{writer},
        consumer_{std::move(consumer)},
        intake_{intake},
        wake_{wake},
        wake_context_{wake_context},
        self_{*this} {}
  StreamClaims(const StreamClaims&) = delete;
  StreamClaims& operator=(const StreamClaims&) = delete;
  ~StreamClaims() { self_.end(); }

  /// Does what is due.
  /// @param streams  those that are read
  /// @param fresh    of these, those that have been read since the last turn alone: they do not wait
  /// @return         when to come again
  SteadyTime turn(SteadyTime now, const Streams& streams, const Streams& fresh = {}) {
    const SteadyTime refreshed = refresh(now);
    if (now < asks_at_) {
      look_into(fresh);
    } else {
      asks_at_ = now + options_.claim_after / 3;
      look_into(streams);
    }
    return std::min(refreshed, asks_at_);
  }
  /// Keeps what we hold, if that is due. Also while nothing more is read. @return when to come again
  SteadyTime refresh(SteadyTime now) {
    if (now < refreshes_at_) return refreshes_at_;
    refreshes_at_ = now + options_.claim_after / 3;
    if (!writer_.connected()) return refreshes_at_;
    for (auto& [key, ids] : intake_.held_since(now - options_.claim_after / 4)) {
      Command command{"XCLAIM", key, options_.group, consumer_, "0"};
      for (const std::string& id : ids) command.add(id);
      writer_.ask(command.add("JUSTID"),
                  [refusals = intake_.refusals(), of = key](const Status& lost, Reply& reply) {
                    if (lost.ok() && class_of(reply) != ErrorClass::no_group) {
                      refusals->refused("XCLAIM", of, reply);
                    }
                  });
    }
    return refreshes_at_;
  }
  /// The next turn() is due at once.
  void hurry() noexcept { asks_at_ = refreshes_at_ = SteadyTime{}; }
  /// Takes what was claimed into the bus.
  /// @return  true if there is more to claim: turn() is due at once
  bool take_claimed() {
    std::vector<Claimed> claimed;
    bool more = false;
    {
      const std::lock_guard lock{mutex_};
      claimed.swap(claimed_);
      more = std::exchange(more_, false);
    }
    intake_.count(&ReaderStatistics::claimed, claimed.size());
    for (Claimed& claim : claimed) {
      const std::string id = claim.entry.items[0].text;
      if (intake_.holds(claim.stream->key, id)) continue;
      if (claim.deliveries >= std::int64_t{options_.max_deliveries}) {
        const Status why = too_often(claim.entry);
        intake_.bury(*claim.stream, id, take_fields(claim.entry), why, claim.deliveries);
      } else {
        intake_.take(claim.stream, claim.entry, claim.deliveries + 1);
      }
    }
    if (more) asks_at_ = SteadyTime{};
    return more;
  }
  /// True if take_claimed() would find something.
  [[nodiscard]] bool has_claimed() const {
    const std::lock_guard lock{mutex_};
    return more_ || !claimed_.empty();
  }

 private:
  struct Claimed {
    std::shared_ptr<const Subscribed> stream;
    Reply entry;
    std::int64_t deliveries;  ///< before this one
  };

  /// Why an entry is buried that may be too large as well: then its fields are not there.
  static Status too_often(const Reply& entry) {
    std::string why{"delivered too often"};
    if (const Status whole = check_size(entry); !whole.ok()) {
      why += "; ";
      why += whole.what();
    }
    return RetryableError{why};
  }

  /// Asks what is idle there, and claims it.
  void look_into(const Streams& streams) {
    // Those in the backlog are handled first: what is claimed would only wait behind them.
    const std::size_t room = intake_.backlog() != 0 ? 0 : intake_.room();
    if (room == 0 || streams.empty()) return;
    const std::size_t page = std::min(claimable(), std::max<std::size_t>(1, room / streams.size()));
    for (const auto& place : streams) {
      const std::shared_ptr<const Subscribed>& stream = place->subscribed;
      if (place->ended) continue;
      Command pending{"XPENDING", stream->key, options_.group, "IDLE"};
      pending.add(std::int64_t{options_.claim_after.count()}).add("-").add("+");
      pending.add(static_cast<std::int64_t>(page));
      ask_once(stream->key, std::move(pending),
               [self = self_, refusals = intake_.refusals(), stream, page](const Status& lost,
                                                                           Reply& reply) {
                 const bool known = lost.ok() && !is_refused(*refusals, "XPENDING", *stream, reply);
                 self.with([&](StreamClaims& claims) {
                   claims.end_asking(stream->key);
                   if (known) claims.claim(stream, reply, page);
                 });
               });
    }
  }

  /// While there is no answer it is not asked again: the writer may be without a connection for long.
  void ask_once(const std::string& key, Command question, OnAnswer answer) {
    {
      const std::lock_guard lock{mutex_};
      if (!asked_.insert(key).second) return;
    }
    try {
      writer_.ask(std::move(question), std::move(answer));
    } catch (const std::bad_alloc&) {
      end_asking(key);
      throw;
    }
  }
  void end_asking(const std::string& key) noexcept {
    const std::lock_guard lock{mutex_};
    asked_.erase(key);
  }

  /// That the group is gone is the reader's to tell, and to mend.
  static bool is_refused(Refusals& refusals, const char* command, const Subscribed& stream,
                         const Reply& reply) {
    if (class_of(reply) == ErrorClass::no_group) return true;
    return refusals.refused(command, stream.key, reply);
  }

  /// Asks for what XPENDING listed: id, consumer, idle time, deliveries of each. On the writer's thread.
  void claim(const std::shared_ptr<const Subscribed>& stream, const Reply& pending,
             std::size_t page) {
    if (pending.items.empty()) return;
    Command command{"XCLAIM", stream->key, options_.group, consumer_};
    command.add(std::int64_t{options_.claim_after.count()});
    std::map<std::string, std::int64_t> deliveries;
    for (const Reply& entry : pending.items) {
      if (entry.items.size() != 4) continue;
      command.add(entry.items[0].text);
      deliveries[entry.items[0].text] = entry.items[3].integer;
    }
    const bool full = pending.items.size() >= page;
    writer_.ask(std::move(command),
                [self = self_, refusals = intake_.refusals(), stream, full,
                 deliveries = std::move(deliveries)](const Status& lost, Reply& reply) {
                  const bool refused = lost.ok() && is_refused(*refusals, "XCLAIM", *stream, reply);
                  self.with([&](StreamClaims& claims) {
                    claims.note_outcome(lost, deliveries.size());
                    if (lost.ok() && !refused) claims.note_claimed(stream, deliveries, reply, full);
                  });
                });
  }

  /// Claiming much at once gets nowhere over connections that do not live long enough for the answer.
  void note_outcome(const Status& lost, std::size_t number) {
    const std::lock_guard lock{mutex_};
    lost.ok() ? window_.answered(number) : window_.lost(number);
  }
  [[nodiscard]] std::size_t claimable() const {
    const std::lock_guard lock{mutex_};
    return window_.size();
  }

  void note_claimed(const std::shared_ptr<const Subscribed>& stream,
                    std::map<std::string, std::int64_t> deliveries, Reply& reply, bool full) {
    {
      const std::lock_guard lock{mutex_};
      more_ = more_ || full;
      for (Reply& entry : reply.items) {
        if (entry.items.empty()) continue;
        const auto found = deliveries.find(entry.items[0].text);
        const std::int64_t before = found == deliveries.end() ? 0 : found->second;
        if (found != deliveries.end()) deliveries.erase(found);
        claimed_.push_back({stream, std::move(entry), before});
      }
    }
    wake_(wake_context_);
    for (const auto& [id, unused] : deliveries) look_for(stream, id);
  }

  /// What could not be claimed has been claimed by somebody else, or trimmed. (Servers from 7.0 on
  /// drop trimmed entries from what is pending without a word; older ones answer nil.)
  void look_for(const std::shared_ptr<const Subscribed>& stream, const std::string& id) {
    writer_.ask(Command{"XRANGE", stream->key, id, id},
                [self = self_, stream, id](const Status& lost, Reply& reply) {
                  if (!lost.ok() || reply.is_error() || !reply.items.empty()) return;
                  self.with([&](StreamClaims& claims) { claims.note_trimmed(stream, id); });
                });
  }
  void note_trimmed(const std::shared_ptr<const Subscribed>& stream, const std::string& id) {
    {
      const std::lock_guard lock{mutex_};
      claimed_.push_back({stream, Reply::of_array({Reply::of_text(id), Reply::of_nil()}), 0});
    }
    wake_(wake_context_);
  }

  const RedisOptions& options_;
  Writer& writer_;
  const std::string consumer_;
  StreamIntake& intake_;
  void (*const wake_)(void*) noexcept;
  void* const wake_context_;
  const BackReference<StreamClaims> self_;
  SteadyTime asks_at_{};
  SteadyTime refreshes_at_{};
  mutable std::mutex mutex_;
  std::vector<Claimed> claimed_;
  bool more_ = false;            ///< than was claimed
  std::set<std::string> asked_;  ///< keys of streams about which there is no answer yet
  SendWindow window_{100};       // events
};

}  // namespace gossip::redis
