package dev.distillery.datasets.fuzz;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowParser;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.read.Layout;
import dev.distillery.datasets.read.RawRow;
import dev.distillery.datasets.registry.Sources;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** A row, given to every source: rows and rejects, or the row is rejected by a rule. */
public final class RowsFuzz {
  private static final List<Source> SOURCES = Sources.all();

  private RowsFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    for (Layout layout : new Layout[] {Layout.JSON_LINES, Layout.XML_ROWS, Layout.TEXT_LINES}) {
      RawRow raw = RawRow.of(new RawRow.Position(0, 0, 0, 1), data, null);
      try {
        Optional<ObjectNode> row = new RowParser(1 << 20).parse(raw, layout);
        for (Source source : SOURCES) {
          row.ifPresent(object -> read(source, object));
        }
      } catch (RejectedRowException e) {
        check(e.rule());
      }
    }
  }

  private static void read(Source source, ObjectNode row) {
    try {
      var context = new RowContext("x.stackexchange.com/rows.json", Optional.empty());
      List<RowResult.Item> items = new ArrayList<>();
      for (RowResult result : source.parse(row, context)) {
        if (result instanceof RowResult.Rejected rejected) {
          check(rejected.rule());
        } else if (result instanceof RowResult.Item item) {
          items.add(item);
        }
      }
      items.sort(Comparator.comparing(RowResult.Item::order));
      if (!items.isEmpty() && source.group(items.get(0).group(), items).size() != items.size()) {
        throw new IllegalStateException("Items of " + source.name() + " do not add up");
      }
    } catch (RejectedRowException e) {
      check(e.rule());
    }
  }

  private static void check(String rule) {
    if (!rule.matches("[a-z_0-9]+")) {
      throw new IllegalStateException("No name of a rule: " + rule);
    }
  }
}
