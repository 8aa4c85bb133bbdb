// SPDX-License-Identifier: MIT
// Order where it matters: by key, by publisher, a cap on what runs at once, and lanes that overflow.
#include <gossip/gossip.hpp>

#include <cstdio>
#include <map>
#include <string>

namespace {

struct Booking {
  std::string account;
  int amount = 0;
};
constexpr gossip::EventType<Booking> booked{"bank.booked"};

struct Price {
  std::string share;
  int cents = 0;
};
constexpr gossip::EventType<Price> price_changed{"exchange.price.changed"};

/// Is called for one booking of an account at a time, so an account needs no lock of its own.
class Accounts {
 public:
  Accounts() : balances_{{"alice", 0}, {"bob", 0}, {"carol", 0}} {}
  void book(const Booking& booking) {
    int& balance = balances_.at(booking.account);
    balance += booking.amount;
    if (balance < 0) std::printf("%s is overdrawn\n", booking.account.c_str());
  }
  void print() const {
    for (const auto& [account, balance] : balances_) {
      std::printf("%s %d\n", account.c_str(), balance);
    }
  }

 private:
  std::map<std::string, int> balances_;
};

// [order_by_key]
// The bookings of one account are handled one at a time, in order; those of others meanwhile.
void keep_accounts(Accounts& accounts) {
  gossip::EventBus bus{{.workers = 4}};
  auto subscription = bus.subscribe(booked, [&](const Booking& booking) { accounts.book(booking); },
                                    {.ordering = gossip::Ordering::by_key(&Booking::account)});
  for (int day = 1; day <= 30; ++day) {
    for (const char* account : {"alice", "bob", "carol"}) {
      if (!bus.publish(booked, {account, 100}).ok()) return;
      if (!bus.publish(booked, {account, -90}).ok()) return;
    }
  }
  bus.drain();
}
// [/order_by_key]

// [order by publisher]
// What one thread publishes is handled in its order; what several threads do, at the same time.
void print_steps(const char* who) {
  gossip::EventBus bus{{.workers = 4}};
  constexpr gossip::EventType<int> step{"tour.step"};
  auto subscription =
      bus.subscribe(step, [who](const int& number) { std::printf("%s: step %d\n", who, number); },
                    {.ordering = gossip::Ordering::per_publisher()});
  for (int number = 1; number <= 3; ++number) {
    if (!bus.publish(step, number).ok()) return;
  }
  bus.drain();
}
// [/order by publisher]

// [cap and coalesce]
// A display that is slower than the exchange: one call at a time, and of each share only the latest
// price waits.
void show_prices(gossip::EventBus<>& bus, std::map<std::string, int>& display) {
  auto subscription = bus.subscribe(
      price_changed, [&](const Price& price) { display[price.share] = price.cents; },
      {.ordering = gossip::Ordering::by_key([](const Price& price) { return price.share; }),
       .max_concurrency = 1,
       .lane = {.capacity = 100, .overflow = gossip::LaneOverflow::coalesce}});
  for (int cents = 1; cents <= 10'000; ++cents) {
    if (!bus.publish(price_changed, {cents % 2 == 0 ? "even" : "odd", cents}).ok()) return;
  }
  bus.drain();
}
// [/cap and coalesce]

}  // namespace

int main() {
  Accounts accounts;
  keep_accounts(accounts);
  accounts.print();

  print_steps("a publisher");

  gossip::EventBus bus{{.workers = 2}};
  std::map<std::string, int> display;
  show_prices(bus, display);
  for (const auto& [share, cents] : display) std::printf("%s %d\n", share.c_str(), cents);
  const gossip::LaneStatistics lanes = bus.stats().lanes;
  std::printf("%s\n", lanes.handled + lanes.coalesced == 10'000 ? "none is lost" : "some are lost");
}
