package dev.distillery.datasets.units;

import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;

import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.read.RawRow;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * The frame that units travel in, with its codec. A unit is kept (it has an id), rejected (it has a
 * rule) or an item on its way to its group (it has a group).
 */
final class UnitColumns {
  static final String RULE = "rule";
  static final String GROUP = "group";
  static final String ORDER = "order";

  /** Fields of a row that no reader knows; of a row with several units, on the first. */
  static final String UNREAD = "unread";

  /** The columns that say where a unit stands: unique, and sorted as the files are. */
  static final List<String> POSITION = List.of("file", "part", "offset", "unit");

  /** A rejected row is kept as far as this: enough to see what was wrong with it. */
  static final int MAX_RAW_CHARS = 100_000;

  private UnitColumns() {}

  static StructType schema(Table table) {
    return new StructType()
        .add("file", IntegerType, false)
        .add("part", LongType, false)
        .add("offset", LongType, false)
        .add("unit", IntegerType, false)
        .add("place", StringType, false)
        .add("id", StringType, true)
        .add("rows", new ArrayType(table.schema(), false), true)
        .add("keys", new ArrayType(StringType, false), true)
        .add("left_over", LongType, true)
        .add(RULE, StringType, true)
        .add("detail", StringType, true)
        .add("raw", StringType, true)
        .add(GROUP, StringType, true)
        .add(ORDER, StringType, true)
        .add("content", StringType, true)
        .add(UNREAD, new ArrayType(StringType, false), true);
  }

  /**
   * Where a unit came from.
   *
   * @param place for people: path, line, byte
   */
  record Origin(int file, long part, long offset, int unit, String place) {
    static Origin of(RawRow raw, int unit, String path) {
      RawRow.Position at = raw.position();
      String place = path + ": " + at.describe() + (unit == 0 ? "" : ", unit " + (unit + 1));
      return new Origin(at.file(), at.part(), at.offset(), unit, place);
    }

    static Origin of(Row row) {
      return new Origin(
          row.getInt(0), row.getLong(1), row.getLong(2), row.getInt(3), row.getString(4));
    }
  }

  /**
   * A unit's frame.
   *
   * @param raw the row as it was read, or what is left of it; only what is rejected needs it
   */
  static Row encode(
      Origin origin, RowResult result, @Nullable String raw, String @Nullable [] unread) {
    if (result instanceof RowResult.Kept kept) {
      String[] keys =
          kept.keys().stream()
              .map(key -> key.rule() + ' ' + StableIds.of(key.value()))
              .toArray(String[]::new);
      Row[] rows = kept.rows().toArray(Row[]::new);
      return row(
          origin,
          kept.id(),
          rows,
          keys,
          kept.leftOver(),
          null,
          null,
          null,
          null,
          null,
          null,
          unread);
    }
    if (result instanceof RowResult.Item item) {
      return row(
          origin,
          null,
          null,
          null,
          null,
          null,
          null,
          null,
          item.group(),
          item.order(),
          item.content(),
          unread);
    }
    RowResult.Rejected rejected = (RowResult.Rejected) result;
    String row =
        raw == null || raw.length() <= MAX_RAW_CHARS ? raw : raw.substring(0, MAX_RAW_CHARS);
    return row(
        origin,
        null,
        null,
        null,
        null,
        rejected.rule(),
        rejected.detail(),
        row,
        null,
        null,
        null,
        unread);
  }

  private static Row row(Origin origin, @Nullable Object... further) {
    Object[] values = new Object[5 + further.length];
    values[0] = origin.file;
    values[1] = origin.part;
    values[2] = origin.offset;
    values[3] = origin.unit;
    values[4] = origin.place;
    System.arraycopy(further, 0, values, 5, further.length);
    return RowFactory.create(values);
  }
}
