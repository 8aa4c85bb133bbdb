// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace bench {
namespace {

// A counter for each thread, so that counting costs a peer that allocates no shared cache line.
// More than 256 threads at once would share, and lose counts; the benchmarks have a dozen.
struct alignas(128) Shard {
  std::atomic<std::uint64_t> count;
};
constinit Shard shards[256]{};
constinit std::atomic<std::size_t> threads{0};

void count_one() noexcept {
  static thread_local constinit Shard* mine = nullptr;
  if (mine == nullptr) mine = &shards[threads.fetch_add(1, std::memory_order_relaxed) % 256];
  mine->count.store(mine->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void* allocate(std::size_t size) {
  count_one();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc{};
}

void* allocate(std::size_t size, std::align_val_t alignment) {
  count_one();
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc{};
}

}  // namespace

std::uint64_t allocations() noexcept {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards) sum += shard.count.load(std::memory_order_relaxed);
  return sum;
}

}  // namespace bench

// The array and the nothrow forms call these.
void* operator new(std::size_t size) { return bench::allocate(size); }
void* operator new(std::size_t size, std::align_val_t align) {
  return bench::allocate(size, align);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
