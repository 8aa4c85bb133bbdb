// SPDX-License-Identifier: MIT
// H: what is composed around processors, beside the same thing written by hand.
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"
#include "processing/equivalents.hpp"
#include "support/allocations.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace bench {
namespace {

constexpr const char* by_hand = "by hand";

/// @param pass  calls something once for each of `events` events
template <class Pass>
double ns_per_event(std::uint64_t passes, std::size_t events, Pass pass) {
  pass();
  const std::uint64_t begun = now_ns();
  for (std::uint64_t i = 0; i < passes; ++i) pass();
  return static_cast<double>(now_ns() - begun) / static_cast<double>(passes * events);
}

// ---- A filter, and a chain --------------------------------------------------------------------

template <class Sum, class Make>
double ns_per_call(Make make, std::uint64_t passes) {
  const std::vector<Event<Order>> events = orders();
  std::uint64_t sum = 0;
  auto processor = make(Sum{&sum});
  const std::stop_token none;
  Context context{none};
  const double ns = ns_per_event(passes, events.size(), [&] {
    for (const auto& event : events) keep(call(processor, event, context).ok());
  });
  keep(sum);
  return ns;
}

template <class Sum, class Make>
void add_calls(Plan& plan, const char* cell, const char* contender, Make make) {
  plan.cases.push_back(
      {'H', cell, contender, [make, passes = plan.scaled(4'000)](const Record& record) {
         record("ns per event that is looked at", ns_per_call<Sum>(make, passes));
       }});
}

// ---- One of four entries ----------------------------------------------------------------------

template <class Contender>
double ns_per_match(four_entries::Keys keys, std::uint64_t passes) {
  double sum = 0;
  for (std::size_t wanted = 0; wanted < four_entries::entries.size(); ++wanted) {
    const Contender contender{wanted, keys};
    sum += ns_per_event(passes, four_entries::distinct_events, [&] {
      for (std::size_t n = 0; n < four_entries::distinct_events; ++n) keep(contender.matches(n));
    });
  }
  return sum / static_cast<double>(four_entries::entries.size());
}

template <class Wanted>
void add_matches(Plan& plan, const std::string& what) {
  using four_entries::Keys;
  for (const Keys keys : {Keys::in_any_order, Keys::in_one_order}) {
    const std::string cell = what + (keys == Keys::in_any_order ? ", any order" : ", one order");
    const auto add = [&]<class Contender>(const char* name, const Contender*) {
      plan.cases.push_back(
          {'H', cell, name, [keys, passes = plan.scaled(2'000)](const Record& record) {
             record("ns per match of metadata", ns_per_match<Contender>(keys, passes));
           }});
    };
    add(gossip_default, static_cast<const four_entries::Filter<Wanted>*>(nullptr));
    add(by_hand, static_cast<const four_entries::MapOfAny<Wanted>*>(nullptr));
  }
}

// ---- A batch ----------------------------------------------------------------------------------

struct Added {
  double ns;           ///< per event
  double allocations;  ///< per event
};

template <class B>
Added add_to(B& batch, std::uint64_t passes) {
  const batch_of_100::Added event = batch_of_100::delivered();
  const auto fill = [&] {
    for (std::size_t i = 0; i < batch_of_100::size; ++i) batch.add(event);
  };
  for (int i = 0; i < 3; ++i) fill();
  const std::uint64_t allocated = allocations();
  const double ns = ns_per_event(passes, batch_of_100::size, fill);
  return {ns, static_cast<double>(allocations() - allocated) /
                  static_cast<double>((passes + 1) * batch_of_100::size)};
}

template <class B>
Added by_one(std::uint64_t passes) {
  B batch;
  return add_to(batch, passes);
}

template <class B>
Added by_one_of_several(std::uint64_t passes) {
  std::jthread{[] {}}.join();  // from now on the process counts as one with threads
  return by_one<B>(passes);
}

template <class B>
Added by_two_at_once(std::uint64_t passes) {
  B batch;
  add_to(batch, 10);
  std::atomic<int> ready{0};
  const auto run = [&] {
    ready.fetch_add(1);
    while (ready.load() != 2) std::this_thread::yield();
    return add_to(batch, passes);
  };
  Added other{};
  std::jthread thread{[&] { other = run(); }};
  const Added mine = run();
  thread.join();
  return {std::max(mine.ns, other.ns), std::max(mine.allocations, other.allocations)};
}

/// A copy of this process that has never had a second thread, where a mutex costs the C library less.
class NeverThreaded {
 public:
  using Work = Added (*)(std::uint64_t passes);

  /// @pre no thread has been made
  NeverThreaded() {
    if (pipe(requests_.data()) != 0 || pipe(answers_.data()) != 0) fail("pipe");
    child_ = fork();
    if (child_ < 0) fail("fork");
    if (child_ == 0) serve();
    close(requests_[0]);
    close(answers_[1]);
  }
  NeverThreaded(const NeverThreaded&) = delete;
  NeverThreaded& operator=(const NeverThreaded&) = delete;
  ~NeverThreaded() {
    close(requests_[1]);
    close(answers_[0]);
    waitpid(child_, nullptr, 0);
  }

  [[nodiscard]] Added run(Work work, std::uint64_t passes) const {
    const Request request{work, passes};
    Added answer{};
    if (write(requests_[1], &request, sizeof request) != sizeof request ||
        read(answers_[0], &answer, sizeof answer) != sizeof answer) {
      fail("H: the process without threads has ended");
    }
    return answer;
  }

 private:
  struct Request {
    Work work;
    std::uint64_t passes;
  };

  [[noreturn]] void serve() const {
    close(requests_[1]);
    Request request{};
    while (read(requests_[0], &request, sizeof request) == sizeof request) {
      const Added answer = request.work(request.passes);
      if (write(answers_[1], &answer, sizeof answer) != sizeof answer) break;
    }
    std::_Exit(0);
  }

  std::array<int, 2> requests_{};
  std::array<int, 2> answers_{};
  pid_t child_ = -1;
};

void add_batches(Plan& plan) {
  using batch_of_100::Batch;
  using batch_of_100::MutexAndVector;
  using Measure = std::function<Added(std::uint64_t passes)>;
  const auto add = [&plan](const char* cell, const Measure& ours, const Measure& theirs) {
    const auto add_one = [&](const char* contender, const Measure& measure) {
      plan.cases.push_back(
          {'H', cell, contender, [measure, passes = plan.scaled(4'000)](const Record& record) {
             const Added added = measure(passes);
             record("ns per event added to a batch", added.ns);
             record("allocations per event added to a batch", added.allocations);
           }});
    };
    add_one(gossip_default, ours);
    add_one(by_hand, theirs);
  };
  const auto alone = std::make_shared<NeverThreaded>();
  const auto without_threads = [&alone](NeverThreaded::Work work) {
    return [alone, work](std::uint64_t passes) { return alone->run(work, passes); };
  };
  add("1 adder", &by_one_of_several<Batch>, &by_one_of_several<MutexAndVector>);
  add("1, never a thread", without_threads(&by_one<Batch>),
      without_threads(&by_one<MutexAndVector>));
  add("2 adders", &by_two_at_once<Batch>, &by_two_at_once<MutexAndVector>);
}

}  // namespace

void plan_processing(Plan& plan) {
  const char* cell = "filter of 3 clauses";
  add_calls<three_clauses::Sum>(plan, cell, gossip_default, &three_clauses::composed);
  add_calls<three_clauses::Sum>(plan, cell, by_hand, &three_clauses::by_hand);
  cell = "chain of 3";
  add_calls<three_layers::Sum>(plan, cell, gossip_default, &three_layers::composed);
  add_calls<three_layers::Sum>(plan, cell, by_hand, &three_layers::by_hand);
  add_matches<std::string>(plan, "text");
  add_matches<std::int64_t>(plan, "number");
  add_batches(plan);
}

}  // namespace bench
