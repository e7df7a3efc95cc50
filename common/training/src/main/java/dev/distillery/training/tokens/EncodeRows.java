package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.Message;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.LogprobRows;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a canonical table as tokens: a row of {@link #SCHEMA} for each sequence, and one for each
 * row that was rejected. What is counted of a row stands at its first sequence.
 */
final class EncodeRows implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  /** What a row of the input is. */
  enum Kind {
    CONVERSATIONS,
    INSTRUCTIONS,
    DOCUMENTS,
    PREFERENCES,
    /** Replies with their log-probabilities. */
    COMPLETIONS
  }

  /** Where a row stands in its input: the columns that {@link TokenTables} puts behind it. */
  static final List<String> PLACE = List.of("_file", "_block", "_ordinal");

  static final StructType SCHEMA =
      new StructType()
          .add("file", DataTypes.StringType)
          .add("block", DataTypes.LongType)
          .add("ordinal", DataTypes.LongType)
          .add("piece", DataTypes.IntegerType)
          .add("id", DataTypes.StringType)
          .add("group", DataTypes.StringType)
          .add("tokens", DataTypes.BinaryType)
          .add("characters", DataTypes.IntegerType)
          .add("length", DataTypes.IntegerType)
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("row", DataTypes.StringType)
          .add("rows_kept", DataTypes.LongType)
          .add("rows_cut", DataTypes.LongType)
          .add("rows_split", DataTypes.LongType)
          .add("rows_without_stop", DataTypes.LongType)
          .add("rows_ending_with_user", DataTypes.LongType)
          .add("empty_answers", DataTypes.LongType)
          .add("tokens_read", DataTypes.LongType)
          .add("tokens_cut", DataTypes.LongType);

  private final Kind kind;
  private final String tokenizer;
  private final TokenSettings settings;

  /**
   * @param tokenizer model or tokenizer, by the driver's path
   */
  EncodeRows(Kind kind, String tokenizer, TokenSettings settings) {
    this.kind = kind;
    this.tokenizer = tokenizer;
    this.settings = settings;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    Function<Row, EncodedRow> encoder = encoder(ShippedModel.here(tokenizer));
    return new Iterator<>() {
      private Iterator<Row> ready = Collections.emptyIterator();

      @Override
      public boolean hasNext() {
        return ready.hasNext() || rows.hasNext();
      }

      @Override
      public Row next() {
        if (!ready.hasNext()) {
          Row row = rows.next();
          ready = results(row, encoder.apply(row)).iterator();
        }
        return ready.next();
      }
    };
  }

  private Function<Row, EncodedRow> encoder(Path here) {
    if (settings.pairs().equals(PairSettings.NONE)) {
      RowEncoder encoder = encoder(kind, here, settings);
      return row -> encode(encoder, row);
    }
    try {
      AnswerEncoder answers =
          AnswerEncoder.open(here, settings.template(), settings.templateInputs());
      var encoder = new PreferenceEncoder(answers, settings);
      return row -> compare(encoder, row);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static RowEncoder encoder(Kind kind, Path tokenizer, TokenSettings settings) {
    try {
      if (kind == Kind.DOCUMENTS || settings.trainOn() == TrainOn.LABEL) {
        return RowEncoder.ofDocuments(Tokenizers.open(tokenizer), settings);
      }
      try (Student student = Student.open(tokenizer, 1)) {
        return RowEncoder.ofDialogues(
            student.tokenizer(),
            student.chatTemplate(settings.template(), settings.templateInputs()),
            settings);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private EncodedRow encode(RowEncoder encoder, Row row) {
    double weight = number(row, "weight", 1);
    return switch (kind) {
      case DOCUMENTS -> encoder.document(text(row, "text"), weight);
      case COMPLETIONS ->
          text(row, "status").equals("ok")
              ? encoder.taught(text(row, "prompt"), LogprobRows.read(list(row, "logprobs")), weight)
              : EncodedRow.rejected("failed", text(row, "error"));
      case INSTRUCTIONS ->
          settings.trainOn() == TrainOn.LABEL
              ? encoder.labelled(
                  text(row, "instruction"), text(row, "input"), text(row, "output"), weight)
              : encoder.instruction(
                  text(row, "instruction"), text(row, "input"), text(row, "output"), weight);
      case CONVERSATIONS ->
          usesTools(row)
              ? EncodedRow.rejected(EncodedRow.NO_FORM, "The template has no place for tools")
              : messages(row, "messages")
                  .map(turns -> encoder.dialogue(turns, weight))
                  .orElseGet(EncodeRows::brokenMessage);
      case PREFERENCES -> throw new IllegalStateException("Pairs have an encoder of their own");
    };
  }

  private EncodedRow compare(PreferenceEncoder encoder, Row row) {
    if (usesTools(row)) {
      return EncodedRow.rejected(EncodedRow.NO_FORM, "The template has no place for tools");
    }
    if (number(row, "weight", 1) != 1) {
      return EncodedRow.rejected(
          EncodedRow.BAD_WEIGHT, "Comparisons all count the same, and this row has a weight");
    }
    if (kind == Kind.CONVERSATIONS) {
      return messages(row, "messages").map(encoder::answer).orElseGet(EncodeRows::brokenMessage);
    }
    return messages(row, "prompt")
        .map(
            prompt ->
                encoder.pair(
                    prompt, text(row, "chosen"), text(row, "rejected"), number(row, "margin", 0)))
        .orElseGet(EncodeRows::brokenMessage);
  }

  private static boolean usesTools(Row row) {
    return has(row, "tools") && !text(row, "tools").isBlank();
  }

  private static EncodedRow brokenMessage() {
    return EncodedRow.rejected(EncodedRow.NO_FORM, "A message has no role or no content");
  }

  /** The messages of a column; nothing where one has no role or no content. */
  private static Optional<List<Message>> messages(Row row, String column) {
    List<@Nullable Row> messages =
        has(row, column) ? row.getList(row.fieldIndex(column)) : List.of();
    var turns = new ArrayList<Row>();
    for (Row message : messages) {
      if (message == null || message.isNullAt(0) || message.isNullAt(1)) {
        return Optional.empty();
      }
      turns.add(message);
    }
    return Optional.of(MessageRows.read(turns));
  }

  private static List<Row> results(Row row, EncodedRow encoded) {
    var results = new ArrayList<Row>();
    int count = Math.max(1, encoded.sequences().size());
    for (int piece = 0; piece < count; piece++) {
      boolean counted = piece == 0 && encoded.kept();
      results.add(
          RowFactory.create(
              row.getAs(PLACE.get(0)),
              row.getAs(PLACE.get(1)),
              row.getAs(PLACE.get(2)),
              piece,
              text(row, "id"),
              has(row, "group_id") ? text(row, "group_id") : null,
              encoded.kept() ? SequenceCodec.encode(encoded.sequences().get(piece)) : null,
              encoded.characters(),
              encoded.tokens(),
              encoded.kept() ? null : encoded.rule(),
              encoded.kept() ? null : encoded.detail(),
              encoded.kept() ? null : json(row),
              count(counted),
              count(counted && encoded.cut() > 0),
              count(counted && encoded.sequences().size() > 1),
              count(counted && !encoded.stops()),
              count(counted && encoded.endsWithUser()),
              counted ? (long) encoded.emptyAnswers() : 0L,
              counted ? (long) encoded.tokens() : 0L,
              counted ? (long) encoded.cut() : 0L));
    }
    return results;
  }

  private static long count(boolean yes) {
    return yes ? 1 : 0;
  }

  /** The row as its input has it. */
  private static String json(Row row) {
    int columns = row.length() - PLACE.size();
    Object[] values = new Object[columns];
    for (int i = 0; i < columns; i++) {
      values[i] = row.get(i);
    }
    var schema = new StructType(Arrays.copyOf(row.schema().fields(), columns));
    return new GenericRowWithSchema(values, schema).json();
  }

  private static boolean has(Row row, String column) {
    return Arrays.asList(row.schema().fieldNames()).contains(column)
        && !row.isNullAt(row.fieldIndex(column));
  }

  private static @Nullable List<Row> list(Row row, String column) {
    return has(row, column) ? row.getList(row.fieldIndex(column)) : null;
  }

  private static String text(Row row, String column) {
    return has(row, column) ? row.getString(row.fieldIndex(column)) : "";
  }

  /** A number; the usual one where there is none, not a number where it is none. */
  private static double number(Row row, String column, double usual) {
    if (!has(row, column)) {
      return usual;
    }
    return row.get(row.fieldIndex(column)) instanceof Number number
        ? number.doubleValue()
        : Double.NaN;
  }
}
