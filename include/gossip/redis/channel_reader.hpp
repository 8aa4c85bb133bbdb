// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// ChannelReader: receives events by Pub/Sub. Layer: redis.

#include <gossip/core/clock.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/receipt.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/channel.hpp>
#include <gossip/redis/command.hpp>
#include <gossip/redis/condition.hpp>
#include <gossip/redis/deduplication.hpp>
#include <gossip/redis/inbound.hpp>
#include <gossip/redis/link.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/redis_error.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/statistics.hpp>
#include <gossip/redis/tell.hpp>
#include <gossip/redis/wire_event.hpp>
#include <gossip/redis/wire_text.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip::redis {

/// Listens to one channel per event type on a connection of its own. What is published while it is
/// not connected is lost, and each time that can have happened it reports a gap: once the server listens
/// for it again, and before anything that is published from then on goes into the bus. An event that
/// finds no room in the bus's queue is dropped, counted, and reported as a gap of known size.
///
/// Thread safety: subscribe, unsubscribe, statistics from any thread; start and close from one.
class ChannelReader {
 public:
  /// @param options    valid; outlive the reader
  /// @param condition  of the provider
  ChannelReader(const RedisOptions& options, std::shared_ptr<Condition> condition)
      : options_{options},
        condition_{std::move(condition)},
        seen_{options.deduplication_window},
        link_{options, *this, false, true} {
    condition_->expect(Part::reader);
  }
  /// As above, alone.
  explicit ChannelReader(const RedisOptions& options)
      : ChannelReader{options, std::make_shared<Condition>(options)} {}
  ChannelReader(const ChannelReader&) = delete;
  ChannelReader& operator=(const ChannelReader&) = delete;
  ~ChannelReader() { close(std::chrono::steady_clock::now()); }

  /// Connects. @throws std::system_error
  void start() { link_.start(); }

  /// Listens to that event type from now on; waits until the server confirms it, or cannot be reached.
  /// @return  why not: a right is missing
  Status subscribe(Subscribed type) {
    const std::string key = type.key;
    std::unique_lock lock{mutex_};
    Channel& channel = channels_[key];
    channel.subscribed = std::move(type);
    channel.wanted = true;
    channel.changed = has_news_ = true;
    channel.refusal = {};
    link_.notify();
    const auto answered = [&] {
      return in_trouble_ || !channel.wanted || !channel.refusal.ok() ||
             (channel.confirmed && channel.settled());
    };
    ++channel.beginning;
    changed_.wait_for(lock, options_.command_timeout, answered);
    --channel.beginning;
    has_news_ = true;
    if (!channel.refusal.ok()) {
      channel.wanted = channel.relied_on;  // others have subscribed before
      link_.notify();
    } else if (channel.wanted) {
      channel.relied_on = true;
      // From now on, until the server listens.
      channel.missed = channel.missed || !channel.confirmed || !channel.settled();
    }
    return channel.refusal;
  }

  /// Listens no longer, if `unwanted()`, which is asked under the lock that orders this and
  /// subscribe(); waits until the server confirms it, if it is connected.
  template <class Unwanted>
  void unsubscribe(const std::string& type, Unwanted&& unwanted) {
    const std::string key = options_.key_prefix + type;
    const std::string what = listening(key);
    std::unique_lock lock{mutex_};
    const auto found = channels_.find(key);
    if (found == channels_.end() || !unwanted()) return;
    Channel& channel = found->second;
    channel.wanted = channel.relied_on = channel.missed = false;
    changed_.notify_all();
    ++channel.ending;
    end(lock, what, channel);
    --channel.ending;
    has_news_ = true;
    link_.notify();
  }

  /// Puts no more events into the bus.
  /// @par Thread safety any thread
  void stop_reading() noexcept { stopped_.store(true, std::memory_order_release); }
  /// Ends; what the server has sent by then is lost.
  void close(SteadyTime deadline) {
    stop_reading();
    link_.close(deadline);
  }

  /// What it has done. @par Thread safety any thread
  [[nodiscard]] ReaderStatistics statistics() const {
    const std::lock_guard lock{mutex_};
    return statistics_;
  }
  /// How many channels it knows: of those that somebody wants, or that the server still listens to.
  /// @par Thread safety any thread
  [[nodiscard]] std::size_t channels() const {
    const std::lock_guard lock{mutex_};
    return channels_.size();
  }
  /// Of its connection. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return link_.traffic(); }

  /// What Link asks of its client, on its own thread.
  /// @{
  void on_ready() {
    const std::lock_guard lock{mutex_};
    in_trouble_ = false;
    has_news_ = true;
    for (auto& entry : channels_) entry.second.changed = entry.second.wanted;
  }
  void on_lost(const Status&) noexcept {
    const std::lock_guard lock{mutex_};
    in_trouble_ = true;
    asked_.clear();
    for (auto& entry : channels_) entry.second.lost();
    changed_.notify_all();
  }
  void on_state(State state, const Status& why) {
    if (!why.ok() || state == State::closed) {
      const std::lock_guard lock{mutex_};
      in_trouble_ = true;
      changed_.notify_all();
    }
    condition_->connection(Part::reader, state, why);
  }
  SteadyTime on_turn() {
    const SteadyTime now = std::chrono::steady_clock::now();
    const bool has_news = take_news() || now >= asks_again_;
    if (has_news) forget_ended();
    if (!link_.ready()) return SteadyTime::max();
    if (has_news) tell_of_gap();
    tell_of_dropped();
    if (!has_news) return asks_again_;
    const std::lock_guard lock{mutex_};
    asks_again_ = SteadyTime::max();
    for (auto& [key, channel] : channels_) {
      if (channel.is_refused() && now < channel.not_before)
        asks_again_ = std::min(asks_again_, channel.not_before);
      const bool again = channel.is_refused() && now >= channel.not_before;
      if (!std::exchange(channel.changed, false) && !again) continue;
      // First: if that fails, nothing has been sent.
      asked_.push_back({key, channel.wanted});
      link_.send(Command{channel.wanted ? "SUBSCRIBE" : "UNSUBSCRIBE", key}, {&on_answer, this, 0});
      ++channel.unanswered;
      channel.not_before = now + options_.back_off_cap;
    }
    return asks_again_;
  }
  [[nodiscard]] bool has_work() const {
    if (!link_.ready()) return false;
    const std::lock_guard lock{mutex_};
    return has_news_;
  }
  [[nodiscard]] bool drained() const { return true; }
  /// @}

  /// A message.
  void on_push(Reply& reply) {
    if (reply.is_message()) deliver(reply.items[1].text, reply.items[2].text);
  }

 private:
  /// What is open.
  struct Question {
    std::string key;
    bool subscribes = false;
  };

  /// Whether a turn is to look at the channels; once. If it fails, the next connection is news.
  bool take_news() {
    const std::lock_guard lock{mutex_};
    return std::exchange(has_news_, false);
  }
  /// Waits until the server listens no longer, if it does, or is asked to. @pre the lock is held
  void end(std::unique_lock<std::mutex>& lock, const std::string& what, Channel& channel) {
    if (std::exchange(channel.denied, false)) {
      lock.unlock();
      condition_->works(what);  // it does not matter any more
      lock.lock();
    }
    if (channel.wanted || (!channel.confirmed && channel.settled())) return;
    channel.changed = has_news_ = true;
    link_.notify();
    if (link_.closing()) return;
    changed_.wait_for(lock, options_.command_timeout, [&] {
      const bool refused = !channel.refusal.ok();
      return in_trouble_ || channel.wanted ||
             (channel.settled() && (refused || !channel.confirmed));
    });
  }
  /// Those with which nobody has anything to do any more.
  void forget_ended() {
    std::map<std::string, Channel> ended;
    std::vector<std::string> work;
    {
      const std::lock_guard lock{mutex_};
      changed_.notify_all();
      for (auto& [key, channel] : channels_) {
        // Without a connection there is nothing to be told of an end.
        if (!link_.ready()) channel.changed = channel.wanted;
        if (channel.is_over() && channel.denied) work.push_back(listening(key));
      }
      for (auto next = channels_.begin(); next != channels_.end();) {
        const auto entry = next++;
        if (entry->second.is_over()) ended.insert(channels_.extract(entry));
      }
    }
    for (const std::string& what : work) condition_->works(what);
  }

  /// Once the server listens for us again: who reads now what he may have missed misses nothing more.
  void tell_of_gap() {
    {
      const std::lock_guard lock{mutex_};
      if (!gap_is_due()) return;
    }
    // First: for want of memory it is not forgotten.
    const Gap gap{"", "the connection was lost", 0};
    {
      const std::lock_guard lock{mutex_};
      if (!gap_is_due()) return;
      for (auto& entry : channels_) entry.second.missed = false;
      ++statistics_.gaps;
    }
    tell(options_.on_gap, gap);
  }
  /// @pre the lock is held
  [[nodiscard]] bool gap_is_due() const {
    const auto settled = [](const auto& entry) { return entry.second.settled(); };
    const auto missed = [](const auto& entry) { return entry.second.missed; };
    return std::ranges::any_of(channels_, missed) && std::ranges::all_of(channels_, settled);
  }
  /// Before the first event of a channel that is listened to while others are not yet.
  void tell_of_gap(Channel& channel, const std::string& type) {
    const Gap gap{type, "the connection was lost", 0};
    {
      const std::lock_guard lock{mutex_};
      channel.missed = false;
      ++statistics_.gaps;
    }
    tell(options_.on_gap, gap);
  }

  /// Once per turn, not per event: who is slow already shall not be told all the time.
  void tell_of_dropped() {
    for (; !dropped_.empty(); dropped_.erase(dropped_.begin())) {
      const auto& [type, number] = *dropped_.begin();
      const Gap gap{type, "no room in the bus's queue", number};
      count(&ReaderStatistics::gaps);
      tell(options_.on_gap, gap);
    }
  }

  static void on_answer(void* context, std::uint64_t, const Status& lost, Reply& reply) {
    if (lost.ok()) static_cast<ChannelReader*>(context)->take_answer(reply);
  }
  /// To the first question that is open.
  void take_answer(const Reply& reply) {
    const bool subscribed = answers(reply, "subscribe");
    if (!reply.is_error() && !subscribed && !answers(reply, "unsubscribe")) {
      return link_.give_up(RetryableError{"redis: SUBSCRIBE: an answer of another kind"});
    }
    Status why;
    bool news = false;
    std::string key;
    std::string what;
    {
      const std::lock_guard lock{mutex_};
      what = listening(asked_.front().key);  // what takes memory, first
      Question asked = std::move(asked_.front());
      asked_.erase(asked_.begin());
      why = status_of(reply, asked.subscribes ? "SUBSCRIBE" : "UNSUBSCRIBE", asked.key);
      key = std::move(asked.key);
      Channel& channel = channels_[key];
      news = channel.answered(subscribed, why);
      has_news_ = true;
      changed_.notify_all();
    }
    if (news && why.ok()) condition_->works(what);
    if (news && !why.ok()) tell_refused(key, what, why);
    if (why.ok()) tell_of_gap();  // before what came behind the confirmation
  }
  [[nodiscard]] bool answers(const Reply& reply, std::string_view kind) const {
    const std::lock_guard lock{mutex_};
    return !asked_.empty() && reply.items.size() == 3 && reply.items[0].text == kind &&
           reply.items[1].text == asked_.front().key;
  }
  void tell_refused(const std::string& key, const std::string& what, const Status& why) {
    const bool known = condition_->refused(what, why);
    {
      const std::lock_guard lock{mutex_};
      Channel& channel = channels_[key];
      if (channel.denied && known) return;
      channel.denied = false;  // the next refusal is news
    }
    condition_->works(what);  // unsubscribed meanwhile, most likely
  }
  /// What is refused where a channel cannot be listened to.
  static std::string listening(const std::string& key) { return "listening to " + key; }
  void deliver(const std::string& key, const std::string& text) {
    if (stopped_.load(std::memory_order_acquire)) return;
    Inbound inbound;
    std::string type;
    Channel* behind = nullptr;
    {
      const std::lock_guard lock{mutex_};
      const auto found = channels_.find(key);
      if (found == channels_.end() || !found->second.wanted) return;
      inbound = found->second.subscribed.inbound;
      type = found->second.subscribed.type;
      if (found->second.missed) behind = &found->second;
    }
    if (behind != nullptr) tell_of_gap(*behind, type);
    WireEvent event;
    Status status = decode_text(options_, text, event);
    if (status.ok() && event.type != type) {
      status = ValidationError{"type", "another type than that of the channel"};
    }
    if (status.ok() && !event.id.empty()) {
      std::string identity = key;  // ids that others make need not differ from channel to channel
      identity += ' ';
      identity += event.id;
      if (!seen_.add(identity)) return count(&ReaderStatistics::duplicates);
    }
    Receipt none;
    if (status.ok()) status = inbound(event, none);
    if (status.ok()) return count(&ReaderStatistics::received);
    if (status == Errc::closed) return;
    if (status == Errc::queue_full) {
      ++dropped_[type];
      return count(&ReaderStatistics::dropped);
    }
    count(&ReaderStatistics::dead_lettered);
    tell(options_.on_undecodable, type, text, status);
  }

  void count(std::uint64_t ReaderStatistics::*counter) {
    const std::lock_guard lock{mutex_};
    ++(statistics_.*counter);
  }

  const RedisOptions& options_;
  const std::shared_ptr<Condition> condition_;
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Channel> channels_;  ///< by key; the link's thread alone removes any
  std::vector<Question> asked_;              ///< in order
  bool in_trouble_ = false;                  ///< the connection is lost, or does not come about
  bool has_news_ = false;                    ///< a turn is to look at the channels
  ReaderStatistics statistics_;

  // The link's thread alone.
  SteadyTime asks_again_ = SteadyTime::max();     ///< about channels that are refused
  std::map<std::string, std::uint64_t> dropped_;  ///< and not yet told, by event type // events
  RecentIds seen_;
  Link<ChannelReader> link_;
};

}  // namespace gossip::redis
