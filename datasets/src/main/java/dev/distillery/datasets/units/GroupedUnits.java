package dev.distillery.datasets.units;

import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * Hands the items of each group to the source, group by group; units without a group pass through.
 * Memory is bounded by the source's largest group.
 */
final class GroupedUnits implements Iterator<Row> {
  private final Iterator<Row> units;
  private final Source source;
  private Iterator<Row> ready = List.<Row>of().iterator();
  private @Nullable Row ahead;

  /**
   * The units of a partition.
   *
   * @param units sorted by group and order
   */
  GroupedUnits(Iterator<Row> units, Source source) {
    this.units = units;
    this.source = source;
  }

  @Override
  public boolean hasNext() {
    while (!ready.hasNext() && (ahead != null || units.hasNext())) {
      Row first = ahead == null ? units.next() : ahead;
      ahead = null;
      ready = (isItem(first) ? group(first) : List.of(first)).iterator();
    }
    return ready.hasNext();
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }

  private static boolean isItem(Row unit) {
    return unit.getAs(UnitColumns.GROUP) != null;
  }

  private List<Row> group(Row first) {
    String key = first.getAs(UnitColumns.GROUP);
    List<Row> frames = new ArrayList<>();
    List<RowResult.Item> items = new ArrayList<>();
    List<Row> results = new ArrayList<>();
    Row unit = first;
    while (unit != null) {
      String order = unit.getAs(UnitColumns.ORDER);
      if (items.size() >= source.maxGroup()) {
        String detail = "More than " + source.maxGroup() + " items in the group " + key;
        results.add(encode(unit, new RowResult.Rejected("too_large_group", detail)));
      } else if (!items.isEmpty() && items.get(items.size() - 1).order().equals(order)) {
        String detail = "The item " + order + " of " + key + " stands twice";
        results.add(encode(unit, new RowResult.Rejected("repeated_item", detail)));
      } else {
        frames.add(unit);
        items.add(new RowResult.Item(key, order, unit.getAs("content")));
      }
      unit = null;
      if (units.hasNext()) {
        Row next = units.next();
        if (key.equals(next.getAs(UnitColumns.GROUP))) {
          unit = next;
        } else {
          ahead = next;
        }
      }
    }
    List<RowResult> became;
    try {
      became = source.group(key, items);
    } catch (RuntimeException e) {
      // As with a row by itself: a fault costs what it was met in, and is counted.
      became =
          Collections.nCopies(items.size(), new RowResult.Rejected("reader_failed", e.toString()));
    }
    if (became.size() != items.size()) {
      throw new IllegalStateException(
          source.name() + " made " + became.size() + " of " + items.size() + " items of " + key);
    }
    for (int i = 0; i < became.size(); i++) {
      results.add(encode(frames.get(i), became.get(i)));
    }
    return results;
  }

  private static Row encode(Row unit, RowResult result) {
    int column = unit.fieldIndex(UnitColumns.UNREAD);
    String[] unread =
        unit.isNullAt(column) ? null : unit.<String>getList(column).toArray(String[]::new);
    return UnitColumns.encode(UnitColumns.Origin.of(unit), result, unit.getAs("content"), unread);
  }
}
