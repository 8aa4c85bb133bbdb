// SPDX-License-Identifier: MIT
#include "support/counting_allocator.hpp"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <utility>

namespace {

std::atomic<std::size_t> count{0};
std::atomic<std::size_t> in_use{0};          // bytes
thread_local std::size_t until_failure = 0;  // allocations, that one among them; 0: none is to fail
std::atomic<bool (*)() noexcept> there{nullptr};
std::atomic<std::size_t> until_failure_there{0};  // as above

void* allocate(std::size_t bytes, std::size_t alignment) {
  count.fetch_add(1, std::memory_order_relaxed);
  if (until_failure != 0 && --until_failure == 0) throw std::bad_alloc{};
  if (gossip::test::fails_now()) throw std::bad_alloc{};
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded)) {
    in_use.fetch_add(malloc_usable_size(memory), std::memory_order_relaxed);
    return memory;
  }
  throw std::bad_alloc{};
}

void release(void* memory) noexcept {
  in_use.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);  // of null: 0
  std::free(memory);
}

}  // namespace

namespace gossip::test {

std::size_t allocations() noexcept { return count.load(std::memory_order_relaxed); }

std::size_t bytes_in_use() noexcept { return in_use.load(std::memory_order_relaxed); }

void fail_after(std::size_t others) noexcept { until_failure = others + 1; }

bool stop_failing() noexcept { return std::exchange(until_failure, 0) == 0; }

void fail_where(bool (*where)() noexcept, std::size_t others) noexcept {
  until_failure_there = others + 1;
  there = where;
}

bool stop_failing_anywhere() noexcept {
  there = nullptr;
  return until_failure_there.exchange(0) == 0;
}

bool fails_now() noexcept {
  const auto where = there.load(std::memory_order_relaxed);
  if (where == nullptr || !where()) return false;
  std::size_t left = until_failure_there;
  while (left != 0 && !until_failure_there.compare_exchange_weak(left, left - 1)) {
  }
  return left == 1;
}

}  // namespace gossip::test

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new[](std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
