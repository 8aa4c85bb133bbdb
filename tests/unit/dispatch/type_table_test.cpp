// SPDX-License-Identifier: MIT
#include <gossip/core/error.hpp>
#include <gossip/dispatch/type_table.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <vector>

using gossip::EventType;
using gossip::payload_info;
using gossip::detail::PayloadOperations;
using gossip::detail::TypeEntry;
using gossip::detail::TypeTable;

namespace {

constexpr PayloadOperations no_operations{nullptr, nullptr};
constexpr TypeTable::Preparation no_preparation{nullptr, [](void*, TypeEntry&) {}};

EventType<int> type(int number) {
  std::string name{'t'};
  name += std::to_string(number);
  return EventType<int>::parse(name);
}

TypeEntry& add(TypeTable& table, const EventType<int>& name) {
  return table.add(name.key(), payload_info<int>(), no_operations);
}

}  // namespace

TEST_CASE("TypeTable: what was added is found, also after the table has grown", "[dispatch]") {
  TypeTable table{no_preparation};
  std::vector<TypeEntry*> entries;
  for (int i = 0; i < 500; ++i) {
    REQUIRE(table.find(type(i).key()) == nullptr);
    entries.push_back(&add(table, type(i)));
    REQUIRE(entries.back()->index == static_cast<std::uint32_t>(i));
  }
  for (int i = 0; i < 500; ++i) {
    REQUIRE(table.find(type(i).key()) == entries[static_cast<std::size_t>(i)]);
    REQUIRE(&add(table, type(i)) == entries[static_cast<std::size_t>(i)]);
  }
  std::uint32_t next = 0;
  bool in_order = true;
  table.for_each([&](const TypeEntry& entry) { in_order = in_order && entry.index == next++; });
  REQUIRE(in_order);
  REQUIRE(next == 500);
}

TEST_CASE("TypeTable: a name in use with another payload is refused with both types",
          "[dispatch]") {
  TypeTable table{no_preparation};
  add(table, type(1));
  try {
    table.add(type(1).key(), payload_info<double>(), no_operations);
    FAIL("accepted");
  } catch (const gossip::TypeAssertionError& error) {
    const std::string text = error.what();
    REQUIRE(text.find("int") != std::string::npos);
    REQUIRE(text.find("double") != std::string::npos);
    REQUIRE(text.find("t1") != std::string::npos);
  }
}

TEST_CASE("TypeTable: what the preparation throws leaves the table as it was", "[dispatch]") {
  bool fail = true;
  TypeTable table{{&fail, [](void* failing, TypeEntry&) {
                     if (*static_cast<bool*>(failing)) throw std::bad_alloc{};
                   }}};
  REQUIRE_THROWS_AS(add(table, type(1)), std::bad_alloc);
  REQUIRE(table.find(type(1).key()) == nullptr);
  fail = false;
  REQUIRE(add(table, type(1)).index == 0);
}

TEST_CASE("TypeTable: a new entry is prepared once, before it can be found", "[dispatch]") {
  struct Self {
    TypeTable table{{this, [](void* context, TypeEntry& entry) {
                       auto& self = *static_cast<Self*>(context);
                       ++self.prepared;
                       REQUIRE(entry.name == type(1).key());
                       REQUIRE(self.table.find(type(1).key()) == nullptr);
                     }}};
    int prepared = 0;
  } self;
  add(self.table, type(1));
  add(self.table, type(1));
  REQUIRE(self.prepared == 1);
}

TEST_CASE("TypeTable: threads that look up while others add find what was added", "[dispatch]") {
  constexpr int types = 300;
  std::vector<EventType<int>> names;
  for (int i = 0; i < types; ++i) names.push_back(type(i));
  for (std::size_t round = 0; round < gossip::test::scaled(100); ++round) {
    TypeTable table{no_preparation};
    std::atomic<int> added{0};
    std::atomic<bool> missing{false};
    std::thread reader{[&] {
      while (added.load() < types) {
        const int last = added.load();
        for (int i = 0; i < last; ++i) {
          if (table.find(names[static_cast<std::size_t>(i)].key()) == nullptr) missing = true;
        }
        std::this_thread::yield();
      }
    }};
    for (const auto& name : names) {
      add(table, name);
      ++added;
    }
    reader.join();
    REQUIRE_FALSE(missing.load());
  }
}
