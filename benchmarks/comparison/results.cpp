// SPDX-License-Identifier: MIT
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

void append_new(std::vector<std::string>& list, const std::string& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

void print_row(const std::string& name, const std::vector<std::string>& columns) {
  std::printf("  %-26s", name.c_str());
  for (const std::string& column : columns) std::printf(" %20s", column.c_str());
  std::printf("\n");
}

}  // namespace

const char* title_of(char workload) {
  switch (workload) {
    case 'A': return "asynchronous, end to end (publishers x workers)";
    case 'B': return "fan-out to 8 processors (publishers x workers)";
    case 'C': return "synchronous (number of subscribers)";
    case 'D': return "subscribe and unsubscribe (others on the same type)";
    case 'E': return "latency, workers asleep in between";
    case 'F': return "publisher's cost in a burst that fits the queue";
    case 'G': return "floors of this machine";
    default: return "processing, beside the same by hand";
  }
}

std::string number(double value) {
  char text[32];
  const int digits = value < 9.95 ? 2 : value < 99.5 ? 1 : 0;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::vector<double> ratios(const Series& of, const Series& to) {
  std::vector<double> quotients;
  for (std::size_t i = 0; i < of.values.size() && i < to.values.size(); ++i) {
    if (to.values[i] != 0) quotients.push_back(of.values[i] / to.values[i]);
  }
  return quotients;
}

void Results::add(const Case& measured, const std::string& metric, double value) {
  for (Series& series : all_) {
    if (series.workload == measured.workload && series.metric == metric &&
        series.cell == measured.cell && series.contender == measured.contender) {
      series.values.push_back(value);
      return;
    }
  }
  all_.push_back({measured.workload, metric, measured.cell, measured.contender, {value}});
}

const Series* Results::find(char workload, std::string_view metric, std::string_view cell,
                            std::string_view contender) const {
  for (const Series& series : all_) {
    if (series.workload == workload && series.metric == metric && series.cell == cell &&
        series.contender == contender) {
      return &series;
    }
  }
  return nullptr;
}

std::vector<Table> Results::tables() const {
  std::vector<Table> all;
  for (const Series& series : all_) {
    auto table = std::find_if(all.begin(), all.end(), [&](const Table& t) {
      return t.workload == series.workload && t.metric == series.metric;
    });
    if (table == all.end()) {
      all.push_back({series.workload, series.metric, {}, {}});
      table = all.end() - 1;
    }
    append_new(table->cells, series.cell);
    append_new(table->contenders, series.contender);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Table& a, const Table& b) { return a.workload < b.workload; });
  return all;
}

void Results::print() const {
  for (const Table& table : tables()) print_table(table);
}

void Results::print_table(const Table& table) const {
  const char workload = table.workload;
  const std::string& metric = table.metric;
  const std::vector<std::string>& cells = table.cells;
  const auto rows = [&](auto&& text_of) {
    print_row("", cells);
    for (const std::string& contender : table.contenders) {
      std::vector<std::string> columns;
      for (const std::string& cell : cells) {
        const Series* series = find(workload, metric, cell, contender);
        columns.push_back(series == nullptr ? "-" : text_of(*series));
      }
      print_row(contender, columns);
    }
  };
  std::printf("\n%c. %s: %s, median (least..most)\n", workload, title_of(workload), metric.c_str());
  rows([](const Series& series) {
    const auto [least, most] = std::minmax_element(series.values.begin(), series.values.end());
    return number(median(series.values)) + " (" + number(*least) + ".." + number(*most) + ")";
  });
  const Series* reference = find(workload, metric, cells.front(), gossip_default);
  if (reference == nullptr || median(reference->values) < 0.0005) return;
  std::printf("   in multiples of gossip's\n");
  rows([&](const Series& series) {
    const Series* ours = find(workload, metric, series.cell, gossip_default);
    return ours == nullptr ? std::string{"-"} : number(median(ratios(series, *ours)));
  });
}

void Results::write_csv(std::FILE* file) const {
  std::fprintf(file, "workload,metric,cell,contender,repetition,value\n");
  for (const Series& series : all_) {
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      std::fprintf(file, "%c,\"%s\",\"%s\",\"%s\",%zu,%.6g\n", series.workload,
                   series.metric.c_str(), series.cell.c_str(), series.contender.c_str(), i + 1,
                   series.values[i]);
    }
  }
}

}  // namespace bench
