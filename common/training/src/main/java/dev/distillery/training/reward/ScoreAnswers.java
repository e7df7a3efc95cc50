package dev.distillery.training.reward;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.training.tokens.AnswerEncoder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of a table of answers with a reward model's scores: a row of {@link #SCHEMA} for each
 * answer, and one with a rule for each row that has none. A score is a function of its answer and
 * its prompt: who else is scored, where and in which order changes no bit of it.
 */
public final class ScoreAnswers implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  /** What comes out; {@code part} counts the answers of one row from 0. */
  public static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("part", DataTypes.IntegerType)
          .add("side", DataTypes.StringType)
          .add("step", DataTypes.LongType)
          .add("prompt_id", DataTypes.StringType)
          .add("prompt", DataTypes.StringType)
          .add("answer_id", DataTypes.StringType)
          .add("answer", DataTypes.StringType)
          .add("tokens", DataTypes.IntegerType)
          .add("score", DataTypes.DoubleType)
          .add("source", DataTypes.StringType)
          .add("license", DataTypes.StringType)
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("row", DataTypes.StringType);

  /** Rows without an answer are rejected by these rules. */
  public static final List<String> RULES =
      List.of("no_answer", "no_prompt", "failed", "not_in_template", "longer_than_context");

  private final String table;
  private final SharedReward.Access access;
  private final String template;
  private final TemplateInputs inputs;
  private final int most;
  private final boolean scores;

  /**
   * @param table name of the rows' table: preferences, completions, rollouts, instructions or
   *     conversations
   * @param template chat template; empty takes the reward model's own
   * @param inputs what the model's own is told beside the dialogue
   * @param most tokens of a prompt with its answer
   * @param scores whether scores are computed; without them rows are looked at only
   */
  public ScoreAnswers(
      String table,
      SharedReward.Access access,
      String template,
      TemplateInputs inputs,
      int most,
      boolean scores) {
    this.table = table;
    this.access = access;
    this.template = template;
    this.inputs = inputs;
    this.most = most;
    this.scores = scores;
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    AnswerEncoder encoder = access.encoder(template, inputs);
    AnswersOf answers = new AnswersOf(table, encoder, most);
    return new Iterator<>() {
      private Iterator<Row> ready = Collections.emptyIterator();

      @Override
      public boolean hasNext() {
        return ready.hasNext() || rows.hasNext();
      }

      @Override
      public Row next() {
        if (!ready.hasNext()) {
          ready = scored(answers, rows.next()).iterator();
        }
        return ready.next();
      }
    };
  }

  private List<Row> scored(AnswersOf answers, Row row) {
    List<Scorable> found;
    try {
      found = answers.of(row);
    } catch (AnswersOf.Rejected e) {
      return List.of(rejected(row, e));
    }
    List<int[]> sequences = found.stream().map(answer -> answer.tokens().ids()).toList();
    double[] numbers = scores ? access.score(sequences) : new double[found.size()];
    List<Row> results = new ArrayList<>();
    for (int part = 0; part < numbers.length; part++) {
      if (!Double.isFinite(numbers[part])) {
        throw new IllegalStateException(
            "The reward model %s gives row %s the score %s: its weights are broken"
                .formatted(access.model(), id(row), numbers[part]));
      }
      results.add(result(row, part, found.get(part), numbers[part]));
    }
    return results;
  }

  private Row result(Row row, int part, Scorable answer, double score) {
    String license = Cells.text(row, "license");
    String source = Cells.text(row, "source");
    return RowFactory.create(
        id(row),
        part,
        answer.side().isEmpty() ? null : answer.side(),
        table.equals("rollouts") ? (long) Cells.number(row, "step", 0) : null,
        StableIds.of(answer.prompt()),
        answer.prompt(),
        StableIds.of(answer.answer()),
        answer.answer(),
        answer.tokens().ids().length,
        scores ? score : null,
        source.isEmpty() ? table : source,
        license.isEmpty() ? "NOASSERTION" : license,
        null,
        null,
        null);
  }

  private Row rejected(Row row, AnswersOf.Rejected why) {
    Object[] cells = new Object[SCHEMA.size()];
    cells[SCHEMA.fieldIndex("id")] = id(row);
    cells[SCHEMA.fieldIndex("part")] = 0;
    cells[SCHEMA.fieldIndex("rule")] = why.rule();
    cells[SCHEMA.fieldIndex("detail")] = why.detail();
    cells[SCHEMA.fieldIndex("row")] = row.json();
    return RowFactory.create(cells);
  }

  private String id(Row row) {
    return Cells.text(row, table.equals("completions") ? "request_id" : "id");
  }
}
