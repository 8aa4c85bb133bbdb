// SPDX-License-Identifier: MIT
// gossip_redis_bench: events through Redis beside what hiredis does alone. `gossip_redis_bench --help`.
#include "comparison/measure.hpp"
#include "redis/contenders.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace bench;

constexpr const char* usage =
    "gossip_redis_bench [OPTION...]: events through Redis, beside what hiredis does alone\n"
    "  --repetitions N   how often everything is measured, interleaved (default 5)\n"
    "  --only a,c        these workloads alone, of:\n"
    "                      a publishing         b publishing, each event confirmed\n"
    "                      c publish to processor through a group   d codecs\n"
    "  --quick           a twentieth of the events: does it work, not how fast is it\n"
    "  --strict          a missed target makes the program fail\n"
    "  --help            this\n"
    "It starts a redis-server on a free port of this machine, and stops it. Fails if an event is "
    "lost.\n";

// ---- The plan -----------------------------------------------------------------------------------

struct Options {
  std::size_t repetitions = 5;
  std::string only = "abcd";
  bool quick = false;
  bool strict = false;
};

/// A contender of a table: the first of a table is what the others are compared with.
struct Case {
  char workload;
  std::string table;
  std::string name;
  std::function<double()> run;
  double target = 0;  ///< of the ratio to the first; 0: none
  std::vector<double> values = {};
};

std::vector<Case> plan(const RedisServer& server, bool quick) {
  const std::size_t divisor = quick ? 20 : 1;
  const std::size_t many = 96'000 / divisor;
  const std::size_t few = 1'500 / divisor;
  std::vector<Case> cases;
  for (const Delivery delivery : {Delivery::streams, Delivery::pub_sub}) {
    const std::string where = delivery == Delivery::streams ? "XADD" : "PUBLISH";
    const std::string table = "publishing, " + where + ", events per second";
    const auto add = [&, delivery](const char* name, auto measure, double target = 0) {
      cases.push_back(
          {'a', table, name, [=, &server] { return measure(server, delivery); }, target});
    };
    add("hiredis, 64 in a pipeline",
        [=](const RedisServer& s, Delivery d) { return publish_bare<Raw>(s, d, 1, many); });
    add(
        "bus, 8 threads",
        [=](const RedisServer& s, Delivery d) { return publish_by_bus<Raw>(s, d, 8, many); }, 0.8);
    add("bus, 1 thread",
        [=](const RedisServer& s, Delivery d) { return publish_by_bus<Raw>(s, d, 1, many); });
    add("bus, 8 threads, JSON",
        [=](const RedisServer& s, Delivery d) { return publish_by_bus<Reading>(s, d, 8, many); });
    add("bus, 8 threads, CBOR",
        [=](const RedisServer& s, Delivery d) { return publish_by_bus<Compact>(s, d, 8, many); });
    add("hiredis, 8 such connections",
        [=](const RedisServer& s, Delivery d) { return publish_bare<Raw>(s, d, 8, many); });
  }
  for (const Delivery delivery : {Delivery::streams, Delivery::pub_sub}) {
    const std::string table = std::string{"each event confirmed, "} +
                              (delivery == Delivery::streams ? "XADD" : "PUBLISH") +
                              ", us per event";
    cases.push_back({'b', table, "hiredis, round trips",
                     [=, &server] { return confirmed_bare(server, delivery, few); }});
    cases.push_back({'b', table, "bus, publish and flush",
                     [=, &server] { return confirmed_by_bus(server, delivery, few); }, -1.1});
  }
  const std::string through = "publish to processor through a group, events per second";
  cases.push_back({'c', through, "hiredis, batches of 128",
                   [=, &server] { return through_bare<Raw>(server, many / 2); }});
  cases.push_back(
      {'c', through, "bus", [=, &server] { return through_by_bus<Raw>(server, many / 2); }, 0.6});
  cases.push_back({'c', through, "bus, JSON",
                   [=, &server] { return through_by_bus<Reading>(server, many / 2); }});
  cases.push_back({'c', through, "bus, CBOR",
                   [=, &server] { return through_by_bus<Compact>(server, many / 2); }});
  return cases;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", value < 10 ? 2 : value < 1000 ? 1 : 0, value);
  return text;
}

/// Prints what was measured. @return how many targets were missed
std::size_t print(const std::vector<Case>& cases) {
  std::size_t missed = 0;
  const Case* first = nullptr;
  for (const Case& of : cases) {
    if (first == nullptr || first->table != of.table) {
      first = &of;
      std::printf("\n%c. %s\n  %-30s %10s  %-22s %s\n", of.workload, of.table.c_str(), "", "median",
                  "least..most", "of the first (median of each turn's)");
    }
    const auto [least, most] = std::minmax_element(of.values.begin(), of.values.end());
    std::vector<double> ratios;
    for (std::size_t i = 0; i < of.values.size(); ++i) {
      ratios.push_back(of.values[i] / first->values[i]);
    }
    const double ratio = median(ratios);
    std::string verdict;
    if (of.target != 0) {
      const bool met = of.target > 0 ? ratio >= of.target : ratio <= -of.target;
      missed += met ? 0 : 1;
      verdict = std::string{of.target > 0 ? ", at least " : ", at most "} +
                number(std::abs(of.target)) + "x: " + (met ? "met" : "MISSED");
    }
    std::printf("  %-30s %10s  %-22s %sx%s\n", of.name.c_str(), number(median(of.values)).c_str(),
                (number(*least) + ".." + number(*most)).c_str(), number(ratio).c_str(),
                verdict.c_str());
  }
  return missed;
}

void print_codecs(std::size_t count) {
  std::printf("\nd. codecs, ns per event\n  %-30s %10s %10s\n", "", "encode", "decode");
  const auto row = [&](const char* name, std::pair<double, double> times) {
    std::printf("  %-30s %10s %10s\n", name, number(times.first).c_str(),
                number(times.second).c_str());
  };
  row("raw, 100 bytes", codec_times<gossip::RawCodec, Raw>(count));
  row("JSON, 5 members", codec_times<gossip::JsonCodec, Reading>(count));
  row("CBOR, 5 members", codec_times<gossip::CborCodec, Reading>(count));
  row("MessagePack, 5 members", codec_times<gossip::MessagePackCodec, Reading>(count));
}

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "gossip_redis_bench: %s\n%s", what.c_str(), usage);
  std::exit(2);
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool has_value = i + 1 < words.size();
    if (word == "--quick") {
      options.quick = true;
    } else if (word == "--strict") {
      options.strict = true;
    } else if (word == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    } else if (word == "--repetitions" && has_value) {
      const long count = std::strtol(words[++i].c_str(), nullptr, 10);
      if (count < 1 || count > 1000)
        refuse("--repetitions is " + words[i] + "; allowed: 1 to 1000");
      options.repetitions = static_cast<std::size_t>(count);
    } else if (word == "--only" && has_value) {
      options.only = words[++i];
      if (options.only.find_first_not_of("abcd,") != std::string::npos) {
        refuse("--only is " + options.only + "; allowed: a to d, with commas");
      }
    } else if (word == "--only" || word == "--repetitions") {
      refuse(word + " needs a value");
    } else {
      refuse("no such option: " + word);
    }
  }
  return options;
}

/// Measures everything once; what is short, several times, its contenders taking turns.
void run_once(const RedisServer& server, std::vector<Case>& cases) {
  for (auto first = cases.begin(); first != cases.end();) {
    const auto last =
        std::find_if(first, cases.end(), [&](const Case& c) { return c.table != first->table; });
    for (int turn = 0; turn < (first->workload == 'b' ? 10 : 1); ++turn) {
      for (auto next = first; next != last; ++next) {
        static_cast<void>(server.ask({"FLUSHALL"}));
        next->values.push_back(next->run());
      }
    }
    first = last;
  }
}

int run(const Options& options) {
  const RedisServer server;
  std::vector<Case> cases = plan(server, options.quick);
  std::erase_if(cases,
                [&](const Case& c) { return options.only.find(c.workload) == std::string::npos; });
  std::printf("payload   100 bytes; %zu repetitions, interleaved%s; %u cores\n",
              options.repetitions, options.quick ? "; --quick: the figures mean little" : "",
              std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < options.repetitions; ++i) run_once(server, cases);
  const std::size_t missed = print(cases);
  if (options.only.find('d') != std::string::npos) print_codecs(options.quick ? 1000 : 200'000);
  return options.strict && missed != 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gossip_redis_bench: %s\n", error.what());
    return 1;
  }
}
