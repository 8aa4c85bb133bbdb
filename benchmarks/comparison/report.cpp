// SPDX-License-Identifier: MIT
// The report of a run: every table in Markdown, and the plots that say the most.
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"
#include "comparison/plot.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

bool is_ours(std::string_view contender) {
  return contender == gossip_default || contender == gossip_unstamped;
}

/// A series as a point; `convert` makes the plotted value of a measured one.
template <class Convert>
Point point_of(const Series* series, Convert convert) {
  if (series == nullptr || series->values.empty()) return {};
  const auto [least, most] = std::minmax_element(series->values.begin(), series->values.end());
  const double a = convert(*least);
  const double b = convert(*most);
  return {convert(median(series->values)), std::min(a, b), std::max(a, b)};
}

const Table* table_of(const std::vector<Table>& tables, char workload, std::string_view metric) {
  const auto at = std::find_if(tables.begin(), tables.end(), [&](const Table& table) {
    return table.workload == workload && table.metric == metric;
  });
  return at == tables.end() ? nullptr : &*at;
}

/// One line for each contender over the cells of a table.
template <class Convert>
std::vector<Line> lines_of(const Results& results, const Table& table, Convert convert) {
  std::vector<Line> lines;
  for (const std::string& contender : table.contenders) {
    Line line{contender, is_ours(contender), {}};
    for (const std::string& cell : table.cells) {
      line.points.push_back(
          point_of(results.find(table.workload, table.metric, cell, contender), convert));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Plot> plot_throughput(const Results& results, const std::vector<Table>& tables) {
  const Table* table = table_of(tables, 'A', "ns per event");
  if (table == nullptr) return {};
  return {{"Throughput, end to end",
           "million events per second, publish to processor; higher is better",
           "publishers x workers", " M", table->cells,
           lines_of(results, *table, [](double ns) { return 1000 / ns; })}};
}

std::vector<Plot> plot_latency(const Results& results, const std::vector<Table>& tables) {
  constexpr std::string_view quantiles[] = {"p50", "p90", "p99", "p99.9"};
  std::vector<Plot> plots;
  for (const std::string_view cell : {"20k/s 1x1", "100k/s 1x1"}) {
    const Table* table = table_of(tables, 'E', "latency p50, us");
    if (table == nullptr) continue;
    Plot plot{
        std::string{"Latency at "} + (cell[0] == '2' ? "20,000" : "100,000") + " events per second",
        "publish to the processor's first line; lower is better",
        "quantile of the events; one publisher, one worker",
        " us",
        {},
        {}};
    for (const std::string_view quantile : quantiles) plot.categories.emplace_back(quantile);
    for (const std::string& contender : table->contenders) {
      Line line{contender, is_ours(contender), {}};
      for (const std::string_view quantile : quantiles) {
        const std::string metric = "latency " + std::string{quantile} + ", us";
        line.points.push_back(
            point_of(results.find('E', metric, cell, contender), [](double us) { return us; }));
      }
      plot.lines.push_back(std::move(line));
    }
    plots.push_back(std::move(plot));
  }
  return plots;
}

std::vector<Plot> plot_subscribers(const Results& results, const std::vector<Table>& tables) {
  std::vector<Plot> plots;
  for (const char* threads : {"one thread", "two threads"}) {
    const Table* table = table_of(tables, 'C', std::string{"ns per publish_sync, "} + threads);
    if (table == nullptr) continue;
    plots.push_back(
        {std::string{"publish_sync by "} + threads + (threads[0] == 't' ? " at once" : ""),
         "time of one call; lower is better", "subscribers of the event type", " ns", table->cells,
         lines_of(results, *table, [](double ns) { return ns; })});
  }
  return plots;
}

std::ofstream open(const std::filesystem::path& file) {
  std::ofstream out{file};
  if (!out) fail("cannot write " + file.string());
  return out;
}

/// The value of the fact that begins with `name`.
std::string fact(const std::vector<std::string>& facts, std::string_view name) {
  for (const std::string& line : facts) {
    if (line.rfind(name, 0) == 0) return line.substr(std::min<std::size_t>(10, line.size()));
  }
  return {};
}

void write_table(std::ostream& out, const Results& results, const Table& table) {
  out << "\n### " << table.workload << ": " << table.metric << "\n\n|";
  for (const std::string& cell : table.cells) out << " | " << cell;
  out << " |\n|---";
  for (std::size_t i = 0; i < table.cells.size(); ++i) out << "|---";
  out << "|\n";
  for (const std::string& contender : table.contenders) {
    const char* bold = is_ours(contender) ? "**" : "";
    out << "| " << bold << contender << bold;
    for (const std::string& cell : table.cells) {
      const Series* series = results.find(table.workload, table.metric, cell, contender);
      out << " | ";
      if (series == nullptr) {
        out << "-";
        continue;
      }
      const auto [least, most] = std::minmax_element(series->values.begin(), series->values.end());
      out << bold << number(median(series->values)) << bold << " (" << number(*least) << " to "
          << number(*most) << ")";
    }
    out << " |\n";
  }
}

}  // namespace

void write_report(const std::string& folder, const std::vector<std::string>& facts,
                  const Results& results) {
  const std::filesystem::path path{folder};
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("cannot make " + folder + ": " + error.message());

  const std::vector<Table> tables = results.tables();
  std::ofstream out = open(path / "README.md");
  out << "<!-- SPDX-License-Identifier: MIT -->\n# One run of gossip_bench\n\n"
         "Written by the program itself; what is measured, and how, says\n"
         "[benchmarks/README.md](../README.md).\n\n| | |\n|---|---|\n";
  for (const std::string& line : facts) {
    const std::size_t end = line.find(' ');
    out << "| " << line.substr(0, end) << " | " << fact(facts, line.substr(0, end)) << " |\n";
  }
  const std::string note = fact(facts, "CPU") + "; " + fact(facts, "compiler") + " " +
                           fact(facts, "flags") + "; " + fact(facts, "version");
  const struct {
    const char* name;
    const char* text;
    std::vector<Plot> plots;
  } files[] = {
      {"throughput.svg", "Throughput by publishers and workers", plot_throughput(results, tables)},
      {"latency.svg", "Quantiles of the latency", plot_latency(results, tables)},
      {"subscribers.svg", "Cost of publish_sync by subscribers",
       plot_subscribers(results, tables)}};
  for (const auto& [name, text, plots] : files) {
    if (plots.empty()) continue;
    open(path / name) << to_svg(plots, note);
    out << "\n![" << text << "](" << name << ")\n";
  }

  out << "\nMedians over the repetitions, with the least and the most.\n";
  char workload = 0;
  for (const Table& table : tables) {
    if (table.workload != workload) {
      workload = table.workload;
      out << "\n## " << workload << ". " << title_of(workload) << "\n";
    }
    write_table(out, results, table);
  }
  out << "\n## Targets\n\nWhat the project has promised itself; ratios and differences are taken "
         "within each repetition.\n\n";
  for (const Target& target : check_targets(results)) {
    out << "- " << (target.met ? "met: " : "**missed:** ") << target.text << "\n";
  }
  out.flush();
  if (!out) fail("cannot write " + (path / "README.md").string());
}

}  // namespace bench
