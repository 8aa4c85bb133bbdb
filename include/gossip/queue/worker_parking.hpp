// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// WorkerParking: puts workers without work to sleep and wakes no more of them than needed.
/// Layer: queue.

#include <gossip/core/chrono.hpp>
#include <gossip/core/owner.hpp>
#include <gossip/queue/cache_line.hpp>
#include <gossip/queue/platform.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace gossip::detail {

/// Waking a thread costs microseconds, a publish tens of nanoseconds: the art is not to wake. So
///
/// 1. a publisher wakes a worker only if none is awake;
/// 2. if some worker is awake and others are idle, one idle worker is the *sentinel*: it sleeps
///    with a time-out that doubles from 50 us to 0.4 ms, and joins the awake ones if at two looks
///    in a row the same event was waiting; then it appoints the next sentinel. Whoever publishes
///    while there is none appoints one. So no event waits longer than two periods (0.8 ms) behind a
///    busy worker while another is idle;
/// 3. when no worker is awake the sentinel sleeps without a time-out, like the others.
///
/// No wake-up is lost: a publisher claims a slot, then reads the state; a worker writes the state,
/// then looks whether a slot is claimed. All four are sequentially consistent, which costs nothing:
/// a claim is a locked instruction anyhow. If a slot is claimed but not handed over, which is rare,
/// the worker looks once more after a heavy fence, the counterpart of a light one between handing
/// over and reading the state.
///
/// `Queue` has ready(), head() and tail() as MpmcQueue has; tail() is advanced by sequentially
/// consistent read-modify-writes before anything is ready.
///
/// Thread safety: `notify` and `stop` from any thread, `park(i, ...)` from worker `i` alone.
/// Progress: `notify` is wait-free unless somebody has to be woken; then it takes a mutex.
template <class Platform = NativePlatform>
class WorkerParking {
 public:
  /// @param workers  number of workers, 1 to 65535; all start awake // threads
  explicit WorkerParking(std::size_t workers)
      : places_{workers}, awake_{static_cast<std::uint32_t>(workers)} {
    publish();
  }

  /// For a publisher, after its event is visible in `queue`.
  template <class Queue>
  void notify(const Queue& queue) noexcept {
    Platform::light_fence();  // (1) Dekker with (5)
    // (2) seq_cst, after the queue's tail was advanced: Dekker with (3) and (4)
    if (calm(state_.load(std::memory_order_seq_cst))) return;
    wake(queue);
  }

  /// For worker `self`, after it found nothing to do: sleeps until there may be something.
  /// Returns at once after stop().
  template <class Queue>
  void park(std::size_t self, const Queue& queue) {
    std::unique_lock lock{mutex_};
    if (stopping_) return;
    Place& place = places_[self];
    place.role = Role::idle;
    place.earlier = last_idle_;
    if (last_idle_ != nullptr) last_idle_->later = &place;
    last_idle_ = &place;
    --awake_;
    publish();  // (3) read by (2)
    if (has_event(queue)) {
      leave(place);
      return;
    }
    auto period = first_period;
    while (place.role != Role::awake) {
      if (place.role == Role::idle) {
        place.woken.wait(lock);
        period = first_period;
      } else if (has_waited(queue, place.mark)) {
        leave(place);
        if (Place* next = appoint(queue)) next->woken.notify_one();
      } else if (awake_ == 0) {
        place.role = Role::idle;
        sentinel_ = nullptr;
        publish();
      } else {
        place.mark = queue.tail();
        place.woken.wait_until(lock, std::chrono::steady_clock::now() + period);
        period += period;
        if (period > last_period) period = last_period;
      }
    }
  }

  /// Wakes every worker and lets none sleep again.
  void stop() noexcept {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    while (Place* place = rouse()) place->woken.notify_one();
  }

 private:
  // In the clock's own unit: conversions that are left to run time are compiled, too.
  static constexpr std::chrono::nanoseconds first_period = std::chrono::microseconds{50};
  static constexpr std::chrono::nanoseconds last_period = std::chrono::microseconds{400};

  enum class Role : std::uint8_t { awake, idle, sentinel };

  struct alignas(cache_line_bytes) Place {
    Role role = Role::awake;
    std::uint64_t mark = 0;  ///< sentinel: the queue's tail at the last look
    // Among the idle places, in the order in which they fell asleep.
    Place* earlier = nullptr;
    Place* later = nullptr;
    typename Platform::ConditionVariable woken;
  };

  /// The state that publishers read, in one word.
  static constexpr std::uint32_t someone_awake = 1;
  static constexpr std::uint32_t someone_idle = 2;
  static constexpr std::uint32_t has_sentinel = 4;

  static constexpr bool calm(std::uint32_t state) noexcept {
    return (state & someone_awake) != 0 && (state & (someone_idle | has_sentinel)) != someone_idle;
  }

  void publish() noexcept {
    state_.store((awake_ != 0 ? someone_awake : 0U) | (last_idle_ == nullptr ? 0U : someone_idle) |
                     (sentinel_ != nullptr ? has_sentinel : 0U),
                 std::memory_order_seq_cst);
  }

  /// For a worker, after (3): whether it must not sleep.
  template <class Queue>
  static bool has_event(const Queue& queue) noexcept {
    // (4) The head first, or events that come and go would hide one that stays. Whoever claims a
    // slot after this has looked sees (3).
    const std::uint64_t head = queue.head();
    if (queue.tail() == head) return false;
    if (queue.ready()) return true;
    // (5) Whoever has claimed one has either handed it over by now, or will see (3).
    Platform::heavy_fence();
    return queue.ready();
  }

  template <class Queue>
  static bool has_waited(const Queue& queue, std::uint64_t mark) noexcept {
    return static_cast<std::int64_t>(mark - queue.head()) > 0 && queue.ready();
  }

  /// Makes an idle place awake.
  void leave(Place& place) noexcept {
    (place.later != nullptr ? place.later->earlier : last_idle_) = place.earlier;
    if (place.earlier != nullptr) place.earlier->later = place.later;
    place.later = nullptr;
    if (sentinel_ == &place) sentinel_ = nullptr;
    place.role = Role::awake;
    ++awake_;
    publish();
  }

  /// Makes an idle worker the sentinel, if there is one and no sentinel yet.
  /// @return  whom to notify; null for nobody
  template <class Queue>
  Place* appoint(const Queue& queue) noexcept {
    if (last_idle_ == nullptr || sentinel_ != nullptr) return nullptr;
    sentinel_ = last_idle_;
    sentinel_->role = Role::sentinel;
    sentinel_->mark = queue.tail();
    publish();
    return sentinel_;
  }

  /// Makes an idle worker awake, if no worker is. The last one to fall asleep has the warmest cache;
  /// the sentinel is left to watch if there is another.
  /// @return  whom to notify; null for nobody
  Place* rouse() noexcept {
    Place* place = last_idle_;
    if (place == nullptr) return nullptr;
    if (place == sentinel_ && place->earlier != nullptr) place = place->earlier;
    leave(*place);
    return place;
  }

  template <class Queue>
  void wake(const Queue& queue) noexcept {
    Place* roused = nullptr;
    Place* watcher = nullptr;
    {
      const std::lock_guard lock{mutex_};
      if (awake_ == 0) roused = rouse();
      // The one that is awake now may be stuck in the first event. Who published the others may have
      // seen a worker awake that then went to sleep, since the first was claimed but not yet there.
      if (roused == nullptr || queue.tail() - queue.head() > 1) watcher = appoint(queue);
    }
    // Outside the lock, which the woken ones take first of all.
    if (roused != nullptr) roused->woken.notify_one();
    if (watcher != nullptr) watcher->woken.notify_one();
  }

  alignas(prefetch_pair_bytes) typename Platform::template Atomic<std::uint32_t> state_{0};
  alignas(prefetch_pair_bytes) typename Platform::Mutex mutex_;
  const Owner<Place[]> places_;
  Place* last_idle_ = nullptr;
  Place* sentinel_ = nullptr;
  std::uint32_t awake_;
  bool stopping_ = false;
};

}  // namespace gossip::detail
