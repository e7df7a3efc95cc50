package dev.distillery.jobs.report;

import dev.distillery.core.page.BarPlot;
import dev.distillery.core.page.Page;
import dev.distillery.spark.warehouse.RunRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What the record of a run tells: how it ended, what it wrote and dropped, under which terms. */
final class RunSection {
  private RunSection() {}

  static void onto(Page page, RunRecord record) {
    page.table(
        List.of("run", "job", "status", "began", "ended"),
        List.of(
            List.of(
                record.runId(),
                record.job(),
                record.status(),
                record.startedAt(),
                record.finishedAt())));
    List<List<String>> tables = new ArrayList<>();
    new TreeMap<>(record.tables())
        .forEach(
            (name, table) ->
                tables.add(List.of(name, count(table.rows()), count(table.bytes()), table.path())));
    page.table(List.of("table", "rows", "bytes", "folder"), tables);
    List<BarPlot.Bar> rejects = new ArrayList<>();
    record
        .summary()
        .path("rejects")
        .properties()
        .forEach(each -> rejects.add(new BarPlot.Bar(each.getKey(), each.getValue().asDouble())));
    if (!rejects.isEmpty()) {
      rejects.sort(Comparator.comparingDouble(BarPlot.Bar::value).reversed());
      page.plot(new BarPlot("Rows dropped, by rule", rejects));
    }
    if (!record.origins().isEmpty()) {
      page.table(
          List.of("table", "source", "license", "rows", "terms"),
          record.origins().stream()
              .map(
                  origin ->
                      List.of(
                          origin.table(),
                          origin.source(),
                          origin.license(),
                          count(origin.rows()),
                          origin.terms() == null ? "not known" : origin.terms()))
              .toList());
    }
    page.table(List.of("option", "value"), pairs(record.options()));
  }

  private static List<List<String>> pairs(Map<String, String> values) {
    return new TreeMap<>(values)
        .entrySet().stream().map(each -> List.of(each.getKey(), each.getValue())).toList();
  }

  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }
}
