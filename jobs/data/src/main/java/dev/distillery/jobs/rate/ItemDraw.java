package dev.distillery.jobs.rate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_set;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.sort_array;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.AnswerRows;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/** What can be rated of the inputs, and what of it is drawn. Partitions change nothing. */
final class ItemDraw implements AutoCloseable {
  /** More text than a browser shows. */
  private static final long MOST_CHARACTERS = 64L << 20;

  private static final String RULE = "rule";
  private static final String DETAIL = "detail";
  private static final String PROMPTS_DIFFER = "prompts_differ";
  private static final String NO_PROMPT = "no_prompt";
  private static final String NO_ANSWER = "no_answer";

  private final JobRun run;
  private final RateOptions options;

  /** What is or is none, in the columns of rating_items, then rule, detail and row. */
  private final Dataset<Row> candidates;

  private ItemDraw(JobRun run, RateOptions options, Dataset<Row> candidates) {
    this.run = run;
    this.options = options;
    this.candidates = candidates.persist(StorageLevel.MEMORY_AND_DISK());
  }

  static ItemDraw of(JobRun run, RateOptions options) {
    Dataset<Row> rows = AnswerRows.read(run, options.input()).withColumn("side", lit(RatingItem.A));
    if (!options.against().isEmpty()) {
      rows =
          rows.unionByName(
              AnswerRows.read(run, options.against()).withColumn("side", lit(RatingItem.B)));
    }
    Column each =
        options.form().isOfOneAnswer()
            ? to_json(struct("prompt", "instruction", "input", "answer", "model"))
            : lit("");
    return new ItemDraw(
        run,
        options,
        rows.groupBy(col("id"), each.as("each"))
            .agg(
                sort_array(
                        collect_set(
                            struct(
                                "side",
                                "calls",
                                "model",
                                "answer",
                                "prompt",
                                "instruction",
                                "input",
                                "source",
                                "license")))
                    .as("rows"))
            .map(new MakeCandidates(options.form()), Encoders.row(MakeCandidates.SCHEMA)));
  }

  /**
   * How many there are.
   *
   * @param all groups of rows that could be an item
   * @param fit those that are one
   * @param promptsDiffer those of them whose rows were asked different things
   */
  record Counts(long all, long fit, long promptsDiffer) {}

  Counts counts() {
    Row row =
        candidates
            .agg(
                count(lit(1)),
                count(fits(lit(1))),
                count_if(col(RULE).isNull().and(col(PROMPTS_DIFFER))))
            .head();
    return new Counts(row.getLong(0), row.getLong(1), row.getLong(2));
  }

  private static Column fits(Column value) {
    return when(col(RULE).isNull(), value);
  }

  /** The drawn items, as the seed has them, with the tests of attention; the key hides them. */
  List<RatingItem> drawn(RatingKey key) {
    Dataset<Row> drawn =
        candidates
            .where(col(RULE).isNull())
            .orderBy(
                sha2(
                    concat_ws("/", lit("" + options.run().randomSeed()), col("row_id"), col("id")),
                    256),
                col("row_id"),
                col("id"))
            .limit(options.numItems());
    bounded(drawn, "--num-items " + options.numItems());
    List<RatingItem> items = new ArrayList<>();
    boolean tested = !options.attention().isEmpty();
    for (Row row : drawn.collectAsList()) {
      RatingItem item = RatingItem.of(row);
      // Tests have no instruction apart: what has would be known from them by its headings.
      items.add((tested ? item.ofPrompt() : item).hidden(key));
    }
    if (tested) {
      tests().forEach(test -> items.add(test.hidden(key)));
    }
    // The names are drawn by the key: their order is one, and mixes the tests in.
    items.sort(Comparator.comparing(RatingItem::id));
    for (int i = 1; i < items.size(); i++) {
      if (items.get(i).id().equals(items.get(i - 1).id())) {
        throw JobException.invalid(
            "The row '"
                + items.get(i).rowId()
                + "' of --attention is given twice, or is one of --input too; leave one out");
      }
    }
    return items;
  }

  private List<RatingItem> tests() {
    Dataset<Row> rows =
        run.sideInputs(options.attention(), Tables.PREFERENCES)
            .select(
                col("id"),
                to_json(col("prompt")).as("prompt"),
                col("chosen"),
                col("rejected"),
                col("source"),
                col("license"))
            .distinct()
            .limit(options.numItems() + 1);
    bounded(rows, "--attention");
    List<RatingItem> tests = new ArrayList<>();
    for (Row row : rows.collectAsList()) {
      tests.add(
          new RatingItem(
              "",
              row.getAs("id"),
              RateForm.PAIRWISE,
              row.getAs("prompt"),
              null,
              null,
              List.of(
                  new RatingItem.Answer(row.getAs("chosen"), null, RatingItem.A),
                  new RatingItem.Answer(row.getAs("rejected"), null, RatingItem.B)),
              "1",
              row.getAs("source"),
              row.getAs("license")));
    }
    if (tests.size() > options.numItems()) {
      throw JobException.invalid(
          "Option --attention: expected no more rows than --num-items "
              + options.numItems()
              + "; give a file of a few");
    }
    return tests;
  }

  /** Makes sure that a page can hold the texts, before they are read. */
  static void bounded(Dataset<Row> rows, String what) {
    Column characters = lit(0);
    for (String column : rows.columns()) {
      characters = characters.plus(coalesce(length(to_json(struct(col(column)))), lit(0)));
    }
    Row sum = rows.agg(sum(characters)).head();
    if (!sum.isNullAt(0) && sum.getLong(0) > MOST_CHARACTERS) {
      throw JobException.invalid(
          "Option "
              + what
              + ": the texts have "
              + sum.getLong(0)
              + " characters, more than the "
              + MOST_CHARACTERS
              + " that a page holds; give fewer items, or shorter ones");
    }
  }

  /** Why rows are no items, by rule. */
  String why() {
    return candidates
        .where(col(RULE).isNotNull())
        .groupBy(RULE)
        .count()
        .sort(RULE)
        .collectAsList()
        .stream()
        .map(row -> row.getString(0) + " " + row.getLong(1))
        .collect(Collectors.joining(", "));
  }

  /** Writes what is no item to the table rejects. */
  Map<String, Long> reject() {
    return run.reject(
        candidates
            .where(col(RULE).isNotNull())
            .select(col("row_id").as("id"), col(RULE), col(DETAIL), col("row")),
        col(RULE),
        col(DETAIL),
        col("row"));
  }

  @Override
  public void close() {
    candidates.unpersist();
  }

  /** One group of rows as an item, or the rule by which it is none. */
  static final class MakeCandidates implements MapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    static final StructType SCHEMA =
        Tables.RATING_ITEMS
            .schema()
            .add(RULE, DataTypes.StringType)
            .add(DETAIL, DataTypes.StringType)
            .add("row", DataTypes.StringType)
            .add(PROMPTS_DIFFER, DataTypes.BooleanType);

    private final RateForm form;

    MakeCandidates(RateForm form) {
      this.form = form;
    }

    @Override
    public Row call(Row group) {
      List<Row> rows = group.getList(group.fieldIndex("rows"));
      List<Row> answered = rows.stream().filter(row -> row.getAs("answer") != null).toList();
      List<Row> shown = answered.isEmpty() ? rows : answered;
      Row first = shown.get(0);
      List<RatingItem.Answer> answers =
          answered.stream()
              .map(
                  row ->
                      new RatingItem.Answer(
                          row.<String>getAs("answer"), row.getAs("model"), side(row)))
              .distinct()
              .toList();
      @Nullable String prompt =
          rows.stream()
              .map(row -> row.<@Nullable String>getAs("prompt"))
              .filter(asked -> asked != null)
              .findFirst()
              .orElse(null);
      boolean calls = answered.stream().anyMatch(row -> row.<Boolean>getAs("calls"));
      @Nullable String[] why =
          calls
              ? new String[] {"calls_tools", "An answer calls tools, which the page cannot show"}
              : why(prompt, answers);
      var item =
          new RatingItem(
              form.isOfOneAnswer() ? group.getAs("each") : "",
              group.getAs("id"),
              form,
              prompt,
              first.getAs("instruction"),
              first.getAs("input"),
              answers,
              null,
              joined(shown, "source", ", "),
              joined(shown, "license", " AND "));
      Row row = item.toRow();
      Object[] cells = new Object[row.size() + 4];
      for (int i = 0; i < row.size(); i++) {
        cells[i] = row.get(i);
      }
      cells[row.size()] = why == null ? null : why[0];
      cells[row.size() + 1] = why == null ? null : why[1];
      cells[row.size() + 2] = why == null ? null : group.json();
      cells[row.size() + 3] =
          shown.stream()
                  .map(one -> one.<@Nullable String>getAs("prompt"))
                  .filter(Objects::nonNull)
                  .map(RatingItem::turns)
                  .distinct()
                  .count()
              > 1;
      return RowFactory.create(cells);
    }

    private @Nullable String side(Row row) {
      return form == RateForm.PAIRWISE ? row.getAs("side") : null;
    }

    private static String joined(List<Row> rows, String column, String between) {
      return String.join(
          between, rows.stream().map(row -> row.<String>getAs(column)).distinct().toList());
    }

    /** Rule and detail of what cannot be rated, or null. */
    private @Nullable String @Nullable [] why(
        @Nullable String prompt, List<RatingItem.Answer> answers) {
      if (prompt == null) {
        return new String[] {NO_PROMPT, "The row has no prompt and no instruction"};
      }
      if (form == RateForm.PAIRWISE) {
        return whyNoPair(answers);
      }
      if (answers.isEmpty() && form.fewest() > 0) {
        return new String[] {NO_ANSWER, "No row of this id holds an answer"};
      }
      long different = answers.stream().map(RatingItem.Answer::text).distinct().count();
      if (different < form.fewest()) {
        return new String[] {
          "too_few_answers", different + " different answers, fewer than " + form.fewest()
        };
      }
      return answers.size() > form.most()
          ? new String[] {"too_many_answers", answers.size() + " answers, more than " + form.most()}
          : null;
    }

    private static @Nullable String @Nullable [] whyNoPair(List<RatingItem.Answer> answers) {
      long a = answers.stream().filter(answer -> RatingItem.A.equals(answer.side())).count();
      long b = answers.size() - a;
      if (a > 1 || b > 1) {
        return new String[] {
          "several_answers",
          a + " answers in --input and " + b + " in --against; one each is compared"
        };
      }
      if (a + b < 2) {
        return a + b == 0
            ? new String[] {NO_ANSWER, "No row of this id holds an answer"}
            : a == 1
                ? new String[] {"only_in_input", "--against has no answer of this id"}
                : new String[] {"only_in_against", "--input has no answer of this id"};
      }
      return answers.get(0).text().equals(answers.get(1).text())
          ? new String[] {
            "equal_answers", "Both answers are the same text: a tie that nobody need see"
          }
          : null;
    }
  }
}
