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
#include <gossip/redis/reply.hpp>
#include <gossip/redis/send_window.hpp>
#include <gossip/redis/stream_intake.hpp>
#include <gossip/redis/stream_place.hpp>
#include <gossip/redis/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gossip::redis {

/// The idle time of an event begins when it is read, so that a slow processor would be robbed of it:
/// each third of `claim_after` it refreshes the claims on what is in the bus. Then it asks which events
/// are idle, and claims them, unless somebody else does first; one that was delivered too often is
/// buried. XPENDING and XCLAIM serve, since they tell how often an event was delivered.
///
/// Thread safety: has_claimed from any thread; the rest belongs to the thread of the connection.
class StreamClaims {
 public:
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
  /// @return         when to come again
  SteadyTime turn(SteadyTime now, const std::vector<std::shared_ptr<StreamPlace>>& streams) {
    if (now < next_) return next_;
    next_ = now + options_.claim_after / 3;
    for (auto& [key, ids] : intake_.held_since(now - options_.claim_after / 4)) {
      Command refresh{"XCLAIM", key, options_.group, consumer_, "0"};
      for (const std::string& id : ids) refresh.add(id);
      writer_.ask(refresh.add("JUSTID"), [](const Status&, Reply&) {});
    }
    if (intake_.room() <= intake_.backlog()) return next_;
    for (const auto& place : streams) {
      const std::shared_ptr<const Subscribed>& stream = place->subscribed;
      Command pending{"XPENDING", stream->key, options_.group, "IDLE"};
      pending.add(std::int64_t{options_.claim_after.count()}).add("-").add("+");
      pending.add(static_cast<std::int64_t>(claimable()));
      writer_.ask(std::move(pending), [self = self_, stream](const Status& lost, Reply& reply) {
        if (!lost.ok() || reply.is_error()) return;
        self.with([&](StreamClaims& claims) { claims.claim(stream, reply); });
      });
    }
    return next_;
  }
  /// The next turn() is due at once.
  void hurry() noexcept { next_ = SteadyTime{}; }
  /// Takes what was claimed into the bus.
  void take_claimed() {
    std::vector<Claimed> claimed;
    {
      const std::lock_guard lock{mutex_};
      claimed.swap(claimed_);
    }
    intake_.count(&ReaderStatistics::claimed, claimed.size());
    for (Claimed& claim : claimed) {
      const std::string id = claim.entry.items[0].text;
      if (intake_.holds(claim.stream->key, id)) continue;
      if (claim.deliveries >= std::int64_t{options_.max_deliveries}) {
        intake_.bury(claim.stream->key, id, take_fields(claim.entry),
                     RetryableError{"delivered too often"}, claim.deliveries);
      } else {
        intake_.take(claim.stream, claim.entry);
      }
    }
  }
  /// True if take_claimed() would find something.
  [[nodiscard]] bool has_claimed() const {
    const std::lock_guard lock{mutex_};
    return !claimed_.empty();
  }

 private:
  struct Claimed {
    std::shared_ptr<const Subscribed> stream;
    Reply entry;
    std::int64_t deliveries;  ///< before this one
  };

  /// Asks for what XPENDING listed: id, consumer, idle time, deliveries of each. On the writer's thread.
  void claim(const std::shared_ptr<const Subscribed>& stream, const Reply& pending) {
    if (pending.items.empty()) return;
    Command command{"XCLAIM", stream->key, options_.group, consumer_};
    command.add(std::int64_t{options_.claim_after.count()});
    std::map<std::string, std::int64_t> deliveries;
    for (const Reply& entry : pending.items) {
      if (entry.items.size() != 4) continue;
      command.add(entry.items[0].text);
      deliveries[entry.items[0].text] = entry.items[3].integer;
    }
    writer_.ask(std::move(command), [self = self_, stream, deliveries = std::move(deliveries)](
                                        const Status& lost, Reply& reply) {
      self.with([&](StreamClaims& claims) {
        claims.note_outcome(lost, deliveries.size());
        if (lost.ok() && !reply.is_error()) claims.note_claimed(stream, deliveries, reply);
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
                    std::map<std::string, std::int64_t> deliveries, Reply& reply) {
    {
      const std::lock_guard lock{mutex_};
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
  SteadyTime next_{};
  mutable std::mutex mutex_;
  std::vector<Claimed> claimed_;
  SendWindow window_{100};  // events
};

}  // namespace gossip::redis
