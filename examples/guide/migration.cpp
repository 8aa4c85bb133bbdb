// SPDX-License-Identifier: MIT
// The guide's migrations: from the Go library, and from a queue written by hand.
#include <gossip/gossip.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <span>
#include <sstream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

using std::cout;

// [from_go_types]
struct UserData {
  std::string id;
  std::string name;
};
inline constexpr gossip::EventType<UserData> user_created{"user.created"};
// [/from_go_types]

void from_go() {
  cout << "-- from Go\n";
  // [from_go_bus]
  gossip::EventBus bus{{.workers = 1, .capacity = 2000}};
  // [/from_go_bus]

  // [from_go_subscribe]
  auto users =
      bus.subscribe(user_created, [](const gossip::Event<UserData>& event, gossip::Context&) {
        cout << "new user: " << event.data().name << '\n';
      });
  // [/from_go_subscribe]

  // [from_go_publish]
  const gossip::Status status =
      bus.publish(gossip::Event{user_created, {.id = "123", .name = "alice"}}.with_metadata(
          "request_id", "req-1"));
  if (!status.ok()) cout << status.what() << '\n';  // queue full, closed
  // [/from_go_publish]
  bus.drain();

  // [from_go_publish_sync]
  const gossip::SyncResult result = bus.publish_sync(user_created, {.id = "124", .name = "bob"});
  for (const auto& error : result.errors) cout << error.status.what() << '\n';
  // [/from_go_publish_sync]
  users.cancel();

  std::ostringstream log;
  // [from_go_middleware]
  auto careful = gossip::retry({.max_attempts = 4, .initial_delay = 100ms}) |
                 gossip::timeout({.limit = 5s}) | gossip::logging(gossip::log_to(log), "user") |
                 gossip::recovery();
  auto from_api = gossip::by_metadata("source", "api");
  auto audited =
      bus.subscribe(user_created, from_api,
                    careful([](const UserData& user) { cout << "audit: " << user.name << '\n'; }));
  // [/from_go_middleware]
  for (const char* source : {"api", "import"}) {
    const auto audit = bus.publish_sync(
        gossip::Event{user_created, {.id = "125", .name = source}}.with_metadata("source", source));
    if (!audit.ok() || log.str().empty()) cout << "no audit\n";
  }
  audited.cancel();

  // [from_go_batch]
  gossip::Batch<UserData> rows{bus,
                               {.size = 100, .period = 5s},
                               [](std::span<const gossip::Event<UserData>> users_to_insert) {
                                 cout << users_to_insert.size() << " rows\n";
                               }};
  auto inserts = bus.subscribe(user_created, rows.processor());
  // [/from_go_batch]
  for (int i = 0; i < 3; ++i)
    bus.publish(user_created, {.id = std::to_string(i), .name = "somebody"});

  // [from_go_end]
  bus.drain();     // every accepted event has been handled
  rows.flush();    // and the last batch
  bus.shutdown();  // or leave it to the destructor
  // [/from_go_end]
}

struct Job {
  std::string file;
};

// [by_hand]
/// What one writes by hand: a deque, a mutex, a condition variable, a thread.
class JobQueue {
 public:
  explicit JobQueue(std::function<void(const Job&)> work)
      : work_{std::move(work)}, thread_{[this] { run(); }} {}
  ~JobQueue() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void push(Job job) {
    {
      const std::lock_guard lock{mutex_};
      jobs_.push_back(std::move(job));  // without bound
    }
    changed_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      work_(job);  // if it throws, the program ends
    }
  }

  std::function<void(const Job&)> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};
// [/by_hand]

// [by_bus]
inline constexpr gossip::EventType<Job> job_wanted{"job.wanted"};
// [/by_bus]

void from_a_queue() {
  cout << "-- from a queue\n";
  {
    // [by_hand_use]
    JobQueue queue{[](const Job& job) { cout << "by hand: " << job.file << '\n'; }};
    queue.push({"a.txt"});
    // [/by_hand_use]
  }
  {
    // [by_bus_use]
    gossip::EventBus bus{{.workers = 1}};
    auto work =
        bus.subscribe(job_wanted, [](const Job& job) { cout << "by bus: " << job.file << '\n'; });
    bus.publish(job_wanted, {"a.txt"});
    bus.drain();
    // [/by_bus_use]
  }
}

}  // namespace

int main() {
  from_go();
  from_a_queue();
}
