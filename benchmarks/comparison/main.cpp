// SPDX-License-Identifier: MIT
// gossip_bench: gossip and its peers, side by side. `gossip_bench --help`.
#include <gossip/version.hpp>

#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr const char* usage =
    "gossip_bench [OPTION...]: gossip and its peers, side by side\n"
    "  --repetitions N   how often everything is measured, interleaved (default 5)\n"
    "  --only A,C        these workloads alone, of:\n"
    "                      A end to end   B fan-out   C synchronous   D subscribe + unsubscribe\n"
    "                      E latency      F bursts    G floors of the machine\n"
    "                      H filters, chains, metadata and batches, beside the same by hand\n"
    "  --patient         waits while other programs are busy, and measures again what they\n"
    "                    disturbed; after ten minutes of that it takes things as they are\n"
    "  --quick           a twentieth of the events: does it work, not how fast is it\n"
    "  --csv FILE        writes every value\n"
    "  --report FOLDER   writes tables (README.md) and plots (SVG)\n"
    "  --commit TEXT     is printed with the facts about the machine\n"
    "  --command TEXT    too\n"
    "  --strict          a missed target makes the program fail\n"
    "  --verbose         every value as it is measured, on the error stream\n"
    "  --help            this\n"
    "Fails if an event is lost.\n";

struct Options {
  std::size_t repetitions = 5;
  std::string only = "ABCDEFGH";
  std::string csv = {};
  std::string report = {};
  std::string commit = "not given";
  std::string command = "gossip_bench";
  bool quick = false;
  bool strict = false;
  bool verbose = false;
  bool patient = false;
};

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "gossip_bench: %s\n%s", what.c_str(), usage);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    std::string value;
    bool has_value = false;
    if (const std::size_t at = name.find('='); at != std::string_view::npos) {
      value = name.substr(at + 1);
      name = name.substr(0, at);
      has_value = true;
    }
    const auto take = [&] {
      if (!has_value && ++i == argc) refuse(std::string{name} + " needs a value");
      if (!has_value) value = argv[i];
      return value;
    };
    if (name == "--repetitions") {
      const long count = std::strtol(take().c_str(), nullptr, 10);
      if (count < 1 || count > 1000) refuse("--repetitions is " + value + "; allowed: 1 to 1000");
      options.repetitions = static_cast<std::size_t>(count);
    } else if (name == "--only") {
      options.only.clear();
      for (const char c : take()) {
        if (c >= 'A' && c <= 'H') {
          options.only += c;
        } else if (c != ',') {
          refuse("--only is " + value + "; allowed: A to H, with commas");
        }
      }
    } else if (name == "--csv") {
      options.csv = take();
    } else if (name == "--report") {
      options.report = take();
    } else if (name == "--command") {
      options.command = take();
    } else if (name == "--commit") {
      options.commit = take();
    } else if (name == "--quick") {
      options.quick = true;
    } else if (name == "--strict") {
      options.strict = true;
    } else if (name == "--patient") {
      options.patient = true;
    } else if (name == "--verbose") {
      options.verbose = true;
    } else if (name == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    } else {
      refuse("no such option: " + std::string{name});
    }
  }
  return options;
}

std::string cpu_model() {
  std::ifstream file{"/proc/cpuinfo"};
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

/// About the machine, the compiler, and the run.
std::vector<std::string> facts_of(const Options& options) {
  utsname system{};
  uname(&system);
#if defined(__clang__)
  const std::string compiler = __VERSION__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  std::vector<std::string> facts{
      std::string{"version   gossip " GOSSIP_VERSION_STRING ", commit "} + options.commit,
      "CPU       " + cpu_model() + ", " + std::to_string(std::thread::hardware_concurrency()) +
          " cores",
      std::string{"system    "} + system.sysname + " " + system.release + " " + system.machine,
      "compiler  " + compiler,
      "flags     " GOSSIP_BENCH_FLAGS,
      "command   " + options.command,
      "run       32-byte payload by value; capacity 1024; " + std::to_string(options.repetitions) +
          " repetitions" + (options.quick ? "; --quick: the figures mean little" : ""),
  };
#if !defined(__OPTIMIZE__)
  facts.emplace_back("WARNING   built without optimisation: the figures mean nothing");
#endif
  return facts;
}

std::size_t print_targets(const std::vector<bench::Target>& targets) {
  std::printf("\nTargets (ratios and differences are medians of those of each repetition)\n");
  std::size_t met = 0;
  for (const bench::Target& target : targets) {
    std::printf("  %s  %s\n", target.met ? "PASS" : "FAIL", target.text.c_str());
    met += target.met ? 1 : 0;
  }
  std::printf("  %zu of %zu targets met\n", met, targets.size());
  return targets.size() - met;
}

/// CPU time that the whole machine has been busy, if the system says so. // seconds
double machine_busy_s() {
  std::ifstream file{"/proc/stat"};
  std::string name;
  double user = 0;
  double nice = 0;
  double system = 0;
  file >> name >> user >> nice >> system;
  return (user + nice + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// CPU time that other programs have used. Counted in ticks of the system. // seconds
double others_busy_s() { return machine_busy_s() - bench::process_cpu_ns() / 1e9; }

double seconds() { return static_cast<double>(bench::now_ns()) / 1e9; }

/// Runs measurements one by one.
class Runner {
 public:
  Runner(const Options& options, bench::Results& results)
      : options_{options}, results_{results}, patience_{options.patient ? 600.0 : 0.0} {}

  void run(const bench::Case& next) {
    std::vector<std::pair<std::string, double>> values;
    for (;;) {
      const double begun = seconds();
      while (patience_ > 0 && !quiet()) wait();
      const double busy = others_busy_s();
      const double started = seconds();
      values.clear();
      next.run(
          [&](const std::string& metric, double value) { values.emplace_back(metric, value); });
      const double allowed = 0.02 + 0.05 * (seconds() - started);
      if (patience_ <= 0 || others_busy_s() - busy <= allowed) break;
      patience_ -= seconds() - begun;
    }
    for (const auto& [metric, value] : values) {
      results_.add(next, metric, value);
      if (options_.verbose) {
        std::fprintf(stderr, "%c %s, %s: %.2f %s\n", next.workload, next.cell.c_str(),
                     next.contender.c_str(), value, metric.c_str());
      }
    }
  }

 private:
  void wait() {
    patience_ -= 0.05;
    if (std::exchange(silent_, false)) std::fputs("waiting for other programs\n", stderr);
  }

  /// Looks for 50 ms.
  static bool quiet() {
    const double busy = others_busy_s();
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    return others_busy_s() - busy < 0.015;
  }

  const Options& options_;
  bench::Results& results_;
  double patience_;  ///< what is left of it // seconds
  bool silent_ = true;
};

/// Measures everything once. The contenders of one cell take turns at being first.
void run_once(const std::vector<bench::Case>& cases, std::size_t repetition, Runner& runner) {
  for (auto first = cases.begin(); first != cases.end();) {
    const auto last = std::find_if(first, cases.end(), [&](const bench::Case& c) {
      return c.workload != first->workload || c.cell != first->cell;
    });
    const auto count = static_cast<std::size_t>(last - first);
    for (std::size_t i = 0; i < count; ++i) {
      runner.run(first[static_cast<std::ptrdiff_t>((i + repetition) % count)]);
    }
    first = last;
  }
}

int run(const Options& options) {
  bench::Plan plan{.divisor = options.quick ? std::uint64_t{20} : 1, .cases = {}};
  bench::plan_asynchronous(plan);
  bench::plan_synchronous(plan);
  bench::plan_latency(plan);
  bench::plan_floors(plan);
  bench::plan_processing(plan);
  std::erase_if(plan.cases, [&](const bench::Case& c) {
    return options.only.find(c.workload) == std::string::npos;
  });
  std::vector<std::string> facts = facts_of(options);
  for (const std::string& fact : facts) std::printf("%s\n", fact.c_str());
  std::fflush(stdout);

  bench::Results results;
  Runner runner{options, results};
  const std::uint64_t begun = bench::now_ns();
  const double busy = others_busy_s();
  for (std::size_t i = 0; i < options.repetitions; ++i) {
    run_once(plan.cases, i, runner);
    std::fprintf(stderr, "repetition %zu of %zu, %.0f s\n", i + 1, options.repetitions,
                 static_cast<double>(bench::now_ns() - begun) / 1e9);
  }
  const double others = std::max(0.0, others_busy_s() - busy);  // what is stolen confuses it
  const double share = 100 * others * 1e9 / static_cast<double>(bench::now_ns() - begun);
  char others_text[200];
  std::snprintf(others_text, sizeof others_text,
                "others    other programs used %.0f %% of a core meanwhile%s", share,
                share < 5 ? ""
                : options.patient
                    ? "; what they disturbed was measured again, for ten minutes at most"
                    : ": WARNING, the figures are worth little, run it alone");
  facts.emplace_back(others_text);
  std::printf("%s\n", others_text);
  results.print();
  const std::size_t missed = print_targets(bench::check_targets(results));
  if (!options.report.empty()) bench::write_report(options.report, facts, results);
  if (!options.csv.empty()) {
    std::FILE* file = std::fopen(options.csv.c_str(), "w");
    if (file == nullptr) bench::fail("cannot write " + options.csv);
    results.write_csv(file);
    std::fclose(file);
  }
  return options.strict && missed != 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    bench::fail(error.what());
  }
}
