// SPDX-License-Identifier: MIT
// Many events at once: batches by size, by time and by hand, and what happens to those that fail.
#include <gossip/gossip.hpp>

#include <chrono>
#include <cstdio>
#include <span>
#include <string>

namespace {

struct Mail {
  std::string to;
};
constexpr gossip::EventType<Mail> mail_requested{"shop.mail.requested"};

/// Hands mails to a server that accepts many at once.
struct MailServer {
  void send(std::span<const gossip::Event<Mail>> mails) {
    std::printf("sent %zu:", mails.size());
    for (const auto& mail : mails) std::printf(" %s", mail.data().to.c_str());
    std::printf("\n");
  }
};

std::string customer(int number) {
  std::string name{"c"};
  name += std::to_string(number);
  return name;
}

// [batch_on_a_bus]
// Ten mails at once, or fewer, if the first of them has waited for five seconds.
void send_mails(MailServer& server) {
  using Mails = std::span<const gossip::Event<Mail>>;
  gossip::EventBus bus{{.workers = 1}};
  gossip::Batch<Mail> mails{
      bus, {.size = 10, .period = std::chrono::seconds{5}}, [&](Mails some) { server.send(some); }};
  auto subscription = bus.subscribe(mail_requested, mails.processor());
  for (int i = 1; i <= 13; ++i) {
    if (!bus.publish(mail_requested, {.to = customer(i)}).ok()) return;
  }
  bus.drain();    // all are in the batch
  mails.flush();  // and all are sent
}
// [/batch_on_a_bus]

// [batch_alone]
void count_alone() {
  int sum = 0;
  gossip::Batch<int> numbers{{.size = 100}, [&](std::span<const gossip::Event<int>> some) {
                               for (const auto& number : some) sum += number.data();
                             }};
  for (int i = 1; i <= 1'000; ++i) {
    if (!numbers.add(i).ok()) return;
  }
  std::printf("the sum is %d\n", sum);
}
// [/batch_alone]

// [batch_that_fails]
// A batch that fails is tried again; what fails for good is not lost.
void give_up_after_three() {
  using Mails = std::span<const gossip::Event<Mail>>;
  gossip::Batch<Mail> mails{
      {.size = 2,
       .retry = {.max_attempts = 3, .initial_delay = std::chrono::milliseconds{1}},
       .dead_letter =
           [](Mails some, const gossip::Status& why) {
             std::printf("%zu could not be sent: %s\n", some.size(),
                         std::string{why.what()}.c_str());
           }},
      [](Mails, gossip::Context& context) -> gossip::Status {
        std::printf("attempt %u\n", context.attempt());
        return gossip::RetryableError{"the server is down"};
      }};
  for (const char* to : {"alice", "bob"}) {
    if (!mails.add({.to = to}).ok()) return;
  }
  mails.flush();
}
// [/batch_that_fails]

}  // namespace

int main() {
  MailServer server;
  send_mails(server);
  count_alone();
  give_up_after_three();
}
