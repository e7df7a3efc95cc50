package dev.distillery.core.page;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Figures of several, such as models, in columns side by side; rows and columns as they came. */
public final class SideBySide {
  private final List<String> heads;
  private final Map<List<String>, Map<String, String>> rows = new LinkedHashMap<>();
  private final Set<String> columns = new LinkedHashSet<>();

  /**
   * @param heads of the columns that name a row
   */
  public SideBySide(List<String> heads) {
    this.heads = List.copyOf(heads);
  }

  /** Sets a figure. */
  public void set(List<String> row, String column, String figure) {
    columns.add(column);
    rows.computeIfAbsent(row, unknown -> new LinkedHashMap<>()).put(column, figure);
  }

  /** A value as it is shown, with its standard error where there is one. */
  public static String shown(double value, @Nullable Double error) {
    String text = String.format(Locale.ROOT, "%.4f", value);
    return error == null ? text : text + String.format(Locale.ROOT, " ± %.4f", error);
  }

  /** Adds the table, where it has a row. */
  public void onto(Page page) {
    if (rows.isEmpty()) {
      return;
    }
    var all = new ArrayList<>(heads);
    all.addAll(columns);
    var cells = new ArrayList<List<String>>();
    rows.forEach(
        (row, figures) -> {
          var line = new ArrayList<>(row);
          columns.forEach(column -> line.add(figures.getOrDefault(column, "")));
          cells.add(line);
        });
    page.table(all, cells);
  }
}
