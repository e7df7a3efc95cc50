package dev.distillery.spark.warehouse;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.regexp_extract;
import static org.apache.spark.sql.functions.replace;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Reads what a {@link TableRef} names, in the columns and types of a canonical table. */
public final class TableReader {
  /** Columns that hold JSON as a text, and lists in files of people. */
  private static final List<String> JSON_TEXTS = List.of(Tables.TOOLS, "tool_calls");

  private final SparkSession spark;
  private final Warehouse warehouse;
  private final Consumer<String> notes;
  private final Optional<Consumer<UnreadableRows>> aside;

  private TableReader(
      SparkSession spark,
      Warehouse warehouse,
      Consumer<String> notes,
      Optional<Consumer<UnreadableRows>> aside) {
    this.spark = spark;
    this.warehouse = warehouse;
    this.notes = notes;
    this.aside = aside;
  }

  /**
   * A reader that refuses files in which the messages of a row cannot be read.
   *
   * @param notes is told what was filled in, for a person to read
   */
  public TableReader(SparkSession spark, Warehouse warehouse, Consumer<String> notes) {
    this(spark, warehouse, notes, Optional.empty());
  }

  /**
   * The same, but that it leaves such rows out.
   *
   * @param rows is given them, for each input that has some
   */
  public TableReader puttingAside(Consumer<UnreadableRows> rows) {
    return new TableReader(spark, warehouse, notes, Optional.of(rows));
  }

  /**
   * Reads what a reference stands for: the table's own columns first, then further ones of the
   * files.
   *
   * <p>Files of one's own may lack {@code id}, {@code source} and {@code license}: they become a
   * hash of the row, the file's name and {@code NOASSERTION}, and {@code notes} is told. Columns
   * that are nullable may be missing too.
   *
   * <p>Members of messages that are not read are told to {@code notes}, with the rows that have
   * them.
   *
   * @throws JobException where the table or files are not there, or a column is missing or of
   *     another type, all columns at once; where the messages of no row can be read
   */
  public Dataset<Row> read(PinnedInput input, Table table) {
    if (input.run().isPresent()) {
      TableRef.Named named = (TableRef.Named) input.ref();
      Path folder = input.run().get().folder(warehouse, named.table());
      Dataset<Row> rows = spark.read().parquet(folder.toString());
      return conform(Parsed.of(rows, table), table, folder.toString());
    }
    Dataset<Row> rows = fill(files(input).rows(table), input.asked(), table);
    return conform(readable(Parsed.of(rows, table), input.asked()), table, input.asked());
  }

  /** As above, of what a reference names now. */
  public Dataset<Row> read(TableRef ref, Table table) {
    PinnedInput input = PinnedInput.find(ref, warehouse);
    input.warning().ifPresent(notes);
    return read(input, table);
  }

  /** The columns that files of one's own have, as the first row tells. */
  public List<String> columns(PinnedInput files) {
    return files(files).columns();
  }

  private TableFiles files(PinnedInput input) {
    return TableFiles.of(spark, warehouse.hadoop(), input.asked(), input.found(), notes);
  }

  private Dataset<Row> fill(Dataset<Row> rows, String path, Table table) {
    List<String> present = Arrays.asList(rows.columns());
    var filled = new LinkedHashMap<String, Column>();
    Column content =
        to_json(struct(Arrays.stream(rows.columns()).map(Columns::named).toArray(Column[]::new)));
    if (present.contains(Tables.TOOLS)
        && TableFiles.holdsLists(rows.schema().apply(Tables.TOOLS))) {
      // Read as text, but a list to whom the row's hash is a name.
      content = replace(content, lit("\"tools\":\"[]\""), lit("\"tools\":[]"));
    }
    Map<String, Column> fillable = new LinkedHashMap<>();
    fillable.put("id", sha2(content, 256).substr(1, 32));
    fillable.put("source", regexp_extract(input_file_name(), "([^/]+)$", 1));
    fillable.put("license", lit("NOASSERTION"));
    for (var entry : fillable.entrySet()) {
      boolean wanted = Arrays.asList(table.schema().fieldNames()).contains(entry.getKey());
      if (wanted && !present.contains(entry.getKey())) {
        filled.put(entry.getKey(), entry.getValue());
      }
    }
    if (!filled.isEmpty()) {
      notes.accept(
          path
              + " lacks "
              + String.join(", ", filled.keySet())
              + ": filled with a hash of the row, the file's name, NOASSERTION");
    }
    Dataset<Row> result = rows;
    for (var entry : filled.entrySet()) {
      result = result.withColumn(entry.getKey(), entry.getValue());
    }
    if (Arrays.asList(table.schema().fieldNames()).contains("task_id")
        && !present.contains("task_id")) {
      result = result.withColumn("task_id", col("id"));
    }
    return result;
  }

  /**
   * Rows with a further column for each of messages, in which it is read: once for all that is
   * asked of it, and once more where rows are left out by it, which Spark does before.
   *
   * @param own the names of the rows' own columns
   * @param messages the name of the further column, by that which it is read of
   */
  private record Parsed(Dataset<Row> rows, List<String> own, Map<String, String> messages) {
    static Parsed of(Dataset<Row> rows, Table table) {
      Dataset<Row> result = rows;
      List<String> own = List.of(rows.columns());
      var messages = new LinkedHashMap<String, String>();
      for (StructField wanted : table.schema().fields()) {
        if (wanted.dataType().sameType(MessageRows.TYPE) && own.contains(wanted.name())) {
          DataType found = rows.schema().apply(wanted.name()).dataType();
          if (MessageColumns.readable(found)) {
            String name = "_read_" + wanted.name();
            while (own.contains(name)) {
              name = "_" + name;
            }
            result = result.withColumn(name, MessageColumns.read(wanted.name(), found));
            messages.put(wanted.name(), name);
          }
        }
      }
      return new Parsed(result, own, messages);
    }

    Parsed where(Column condition) {
      return new Parsed(rows.where(condition), own, messages);
    }

    MessageColumns.Read read(String column) {
      return MessageColumns.Read.of(col(messages.get(column)));
    }
  }

  /** The rows whose messages can be read; tells of the others, and of members that are not read. */
  private Parsed readable(Parsed parsed, String origin) {
    Dataset<Row> rows = parsed.rows();
    Optional<MessageColumns.Read> all =
        parsed.messages().keySet().stream().map(parsed::read).reduce(MessageColumns.Read::or);
    if (all.isEmpty()) {
      return parsed;
    }
    var found = MessageFindings.in(rows, all.get());
    Column rule = all.get().rule();
    if (!found.unread().isEmpty()) {
      notes.accept(origin + ": members of messages that are not read: " + found.unread());
    }
    if (found.refused() == 0) {
      return parsed;
    }
    if (aside.isEmpty()) {
      throw JobException.invalid(origin + ": " + found.example());
    }
    if (found.refused() == found.rows()) {
      throw JobException.invalid(
          "No row of "
              + origin
              + " can be read: "
              + found.byRule()
              + ", as in: "
              + found.example());
    }
    notes.accept(
        origin
            + ": rows whose messages cannot be read go to rejects: "
            + found.byRule()
            + ", as in: "
            + found.example());
    aside
        .get()
        .accept(
            new UnreadableRows(
                rows.where(rule.isNotNull())
                    .select(
                        col("id").cast(DataTypes.StringType).as("id"),
                        rule.as("rule"),
                        all.get().detail().as("detail"),
                        to_json(
                                struct(
                                    parsed.own().stream()
                                        .map(Columns::named)
                                        .toArray(Column[]::new)))
                            .as("row")),
                found.byRule()));
    return parsed.where(rule.isNull());
  }

  /**
   * The table's columns in its order and types, then what else the rows have; every violation at
   * once.
   */
  private static Dataset<Row> conform(Parsed parsed, Table table, String origin) {
    Dataset<Row> rows = parsed.rows();
    List<String> present = parsed.own();
    var violations = new ArrayList<String>();
    var columns = new ArrayList<Column>();
    for (StructField wanted : table.schema().fields()) {
      if (!present.contains(wanted.name())) {
        if (!wanted.nullable()) {
          violations.add(
              origin
                  + ": Column '"
                  + wanted.name()
                  + "' of table "
                  + table.name()
                  + " is missing; found "
                  + present);
        }
        columns.add(lit(null).cast(wanted.dataType()).as(wanted.name(), wanted.metadata()));
        continue;
      }
      DataType found = rows.schema().apply(wanted.name()).dataType();
      if (parsed.messages().containsKey(wanted.name())) {
        columns.add(
            MessageColumns.orFail(parsed.read(wanted.name()), wanted.name(), origin)
                .as(wanted.name(), wanted.metadata()));
        continue;
      }
      if (JSON_TEXTS.contains(wanted.name()) && isNested(found)) {
        columns.add(to_json(col(wanted.name())).as(wanted.name(), wanted.metadata()));
        continue;
      }
      if (!compatible(found, wanted.dataType())) {
        violations.add(
            origin
                + ": Column '"
                + wanted.name()
                + "' of table "
                + table.name()
                + " must be "
                + wanted.dataType().simpleString()
                + ", found "
                + found.simpleString());
        continue;
      }
      columns.add(
          inShape(wanted.name(), found, wanted.dataType()).as(wanted.name(), wanted.metadata()));
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    for (String name : present) {
      if (!Arrays.asList(table.schema().fieldNames()).contains(name)) {
        columns.add(named(name));
      }
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  private static boolean isNested(DataType found) {
    return found instanceof ArrayType || found instanceof StructType;
  }

  /** The column in the wanted type. A cast goes by position within structs, so those go by name. */
  private static Column inShape(String name, DataType found, DataType wanted) {
    boolean structs = found instanceof ArrayType array && array.elementType() instanceof StructType;
    return structs && !found.sameType(wanted)
        ? from_json(to_json(col(name)), wanted, Map.of())
        : col(name).cast(wanted);
  }

  /** Whether a cast loses nothing: the same shape, or a narrower number, or a time as text. */
  private static boolean compatible(DataType found, DataType wanted) {
    if (found.equals(DataTypes.NullType)) {
      return true;
    }
    if (found instanceof StructType from && wanted instanceof StructType to) {
      return Arrays.stream(to.fields())
              .allMatch(
                  field ->
                      Arrays.asList(from.fieldNames()).contains(field.name())
                          && compatible(from.apply(field.name()).dataType(), field.dataType()))
          && from.length() == to.length();
    }
    if (found instanceof ArrayType from && wanted instanceof ArrayType to) {
      return compatible(from.elementType(), to.elementType());
    }
    List<DataType> widening =
        List.of(DataTypes.IntegerType, DataTypes.LongType, DataTypes.DoubleType);
    if (widening.contains(found) && widening.contains(wanted)) {
      return widening.indexOf(found) <= widening.indexOf(wanted)
          || wanted.equals(DataTypes.IntegerType);
    }
    return found.sameType(wanted)
        || (wanted.equals(DataTypes.TimestampType) && found.equals(DataTypes.StringType));
  }
}
