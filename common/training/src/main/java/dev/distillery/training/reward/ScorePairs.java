package dev.distillery.training.reward;

import dev.distillery.core.dialogue.Message;
import dev.distillery.training.tokens.EncodedRow;
import dev.distillery.training.tokens.PreferenceEncoder;
import dev.distillery.training.tokens.TokenSequence;
import dev.distillery.training.tokens.TokenSettings;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Comparisons with a reward model's scores of both answers, in the tokens that it is trained on: a
 * row of {@link #SCHEMA} for each that can be trained on, none for others.
 */
public final class ScorePairs implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  /** What comes out. */
  public static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("source", DataTypes.StringType)
          .add("chosen_score", DataTypes.DoubleType)
          .add("rejected_score", DataTypes.DoubleType)
          .add("longer", DataTypes.IntegerType)
          .add("copied", DataTypes.DoubleType);

  private final SharedReward.Access access;
  private final TokenSettings settings;

  /**
   * @param settings of pairs, as they were trained
   */
  public ScorePairs(SharedReward.Access access, TokenSettings settings) {
    this.access = access;
    this.settings = settings;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    var encoder =
        new PreferenceEncoder(
            access.encoder(settings.template(), settings.templateInputs()), settings);
    return new Iterator<>() {
      private Iterator<Row> ready = Collections.emptyIterator();

      @Override
      public boolean hasNext() {
        while (!ready.hasNext() && rows.hasNext()) {
          ready = scored(encoder, rows.next());
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
    };
  }

  private Iterator<Row> scored(PreferenceEncoder encoder, Row row) {
    Optional<EncodedRow> encoded = encoded(encoder, row);
    if (encoded.isEmpty() || !encoded.get().kept()) {
      return Collections.emptyIterator();
    }
    TokenSequence pair = encoded.get().sequences().get(0);
    int[] ids = pair.ids();
    int second = pair.starts()[1];
    double[] scores =
        access.score(
            List.of(Arrays.copyOf(ids, second), Arrays.copyOfRange(ids, second, ids.length)));
    AnswerLooks looks = AnswerLooks.of(row);
    return List.of(
            RowFactory.create(
                Cells.text(row, "id"),
                Cells.text(row, "source"),
                scores[0],
                scores[1],
                looks.longer(),
                looks.copied()))
        .iterator();
  }

  private static Optional<EncodedRow> encoded(PreferenceEncoder encoder, Row row) {
    if (!Cells.text(row, "tools").isBlank()) {
      return Optional.empty();
    }
    try {
      List<Message> prompt = Cells.messages(row, "prompt");
      return Optional.of(
          encoder.pair(
              prompt,
              Cells.text(row, "chosen"),
              Cells.text(row, "rejected"),
              Cells.number(row, "margin", 0)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
