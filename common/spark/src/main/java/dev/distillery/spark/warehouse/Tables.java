package dev.distillery.spark.warehouse;

import static org.apache.spark.sql.types.DataTypes.BooleanType;
import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.TimestampType;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/**
 * The canonical tables. Names and types are a contract with readers outside this library: columns
 * are added, never renamed or retyped.
 */
public final class Tables {
  /** The column of definitions of tools: a JSON array; in files of one's own a list too. */
  public static final String TOOLS = "tools";

  private static final DataType MESSAGES = MessageRows.TYPE;

  private static final DataType ATTRIBUTION =
      new ArrayType(
          struct()
              .column("author", StringType, "Who wrote it")
              .column("url", StringType, "Where it is, and where its author is")
              .column("date", StringType, "When it was written, ISO 8601")
              .column("license", StringType, "SPDX expression of this piece")
              .build(),
          true);

  /** One instance of a task. */
  public static final Table INSTRUCTIONS =
      new Table(
          "instructions",
          "One instance of a task: an instruction with an input and an output.",
          struct()
              .required("id", StringType, "Stable hash of content and source")
              .required(
                  "task_id",
                  StringType,
                  "Shared by the instances of one task; kept or dropped whole")
              .required("instruction", StringType, "What is to be done")
              .column("input", StringType, "What it is to be done to; empty where there is none")
              .column("output", StringType, "The answer")
              .column("is_classification", BooleanType, "Whether the output is one of few labels")
              .column("origin", StringType, "seed, teacher, dataset or human")
              .required("source", StringType, "Name of the source: a data set, a file or a recipe")
              .required("license", StringType, "SPDX expression, or NOASSERTION")
              .column("teacher", StringType, "Model that wrote the row")
              .column("request_id", StringType, "Request whose reply holds the row")
              .column(
                  "most_similar",
                  new ArrayType(
                      struct()
                          .column("id", StringType, "Task of the pool")
                          .column("instruction", StringType, "Its instruction")
                          .column("score", DoubleType, "ROUGE-L F")
                          .build(),
                      true),
                  "The nearest tasks of the pool when the row was admitted, best first")
              .column("max_similarity", DoubleType, "Score of the nearest one")
              .column("created_at", TimestampType, "When the reply came")
              .build());

  /** One dialogue. */
  public static final Table CONVERSATIONS =
      new Table(
          "conversations",
          "One dialogue.",
          struct()
              .required("id", StringType, "Stable hash of content and source")
              .required("messages", MESSAGES, "Turns in order")
              .column("language", StringType, "ISO 639-1 code, where it is known")
              .column("split", StringType, "train, validation or test, where the source says so")
              .required("source", StringType, "Name of the source")
              .required("license", StringType, "SPDX expression, or NOASSERTION")
              .column("attribution", ATTRIBUTION, "Who is to be named")
              .column(TOOLS, StringType, "Definitions that the template gets, a JSON array")
              .build());

  /** One comparison of two answers. */
  public static final Table PREFERENCES =
      new Table(
          "preferences",
          "One comparison: of two answers to a prompt, which was preferred.",
          struct()
              .required("id", StringType, "Stable hash of content and source")
              .column("group_id", StringType, "Shared by the comparisons of one prompt")
              .column("margin", DoubleType, "By how much the chosen answer is better")
              .required("prompt", MESSAGES, "The dialogue up to the answer")
              .required("chosen", StringType, "The better answer")
              .required("rejected", StringType, "The other answer")
              .column("chosen_score", DoubleType, "Score of the better answer")
              .column("rejected_score", DoubleType, "Score of the other answer")
              .column("split", StringType, "train, validation or test, where the source says so")
              .required("source", StringType, "Name of the source")
              .required("license", StringType, "SPDX expression, or NOASSERTION")
              .column("attribution", ATTRIBUTION, "Who is to be named")
              .column(TOOLS, StringType, "Definitions that the template gets, a JSON array")
              .build());

  /** One text. */
  public static final Table DOCUMENTS =
      new Table(
          "documents",
          "One text.",
          struct()
              .required("id", StringType, "Stable hash of content and source")
              .required("text", StringType, "The text")
              .column("url", StringType, "Where it was found")
              .column("score", DoubleType, "Quality, where the source or a filter gives one")
              .column("language", StringType, "ISO 639-1 code, where it is known")
              .required("source", StringType, "Name of the source")
              .required("license", StringType, "SPDX expression, or NOASSERTION")
              .column("attribution", ATTRIBUTION, "Who is to be named")
              .build());

  /** One request to a teacher. */
  public static final Table COMPLETIONS =
      new Table(
          "completions",
          "One request to a teacher, with its reply.",
          struct()
              .required("request_id", StringType, "Hash of model, parameters, messages and place")
              .column("id", StringType, "Row that was asked about")
              .required("model", StringType, "Model that was asked")
              .column("prompt", StringType, "What was asked; a dialogue as JSON")
              .column("params", StringType, "Sampling parameters as JSON")
              .required("status", StringType, "ok or failed")
              .column("finish_reason", StringType, "stop, length, content_filter or other")
              .column("text", StringType, "The reply")
              .column("prompt_tokens", LongType, "Tokens read, as the teacher counts")
              .column("completion_tokens", LongType, "Tokens written, as the teacher counts")
              .column("cost_usd", DoubleType, "Price of the request in US dollars")
              .column("attempts", IntegerType, "Tries it took")
              .column("http_status", IntegerType, "Status of the last answer")
              .column("latency_ms", LongType, "Time of the last attempt")
              .column("error", StringType, "Category and message of the last failure")
              .column("created_at", TimestampType, "When the reply came")
              .column("reasoning", StringType, "What the model thought before; no part of text")
              .column("source", StringType, "Source of the row that was asked about")
              .column("license", StringType, "License of that row, or NOASSERTION")
              .column(
                  "logprobs",
                  LogprobRows.TYPE,
                  "Each token that the teacher wrote, where complete --logprobs asked for it")
              .column("tool_calls", StringType, "Calls of tools that it makes, a JSON array")
              .build());

  /** One dropped row. */
  public static final Table REJECTS =
      new Table(
          "rejects",
          "One row that a job dropped, with the rule that dropped it.",
          struct()
              .required("job", StringType, "Job that dropped it")
              .column("id", StringType, "Id of the row, or where it stands")
              .required("rule", StringType, "Name of the rule")
              .column("detail", StringType, "What the rule found")
              .column("row", StringType, "The row as JSON")
              .build());

  /** One row that dedup dropped. */
  public static final Table DUPLICATES =
      new Table(
          "duplicates",
          "One row that dedup dropped, with the kept row that excludes it.",
          struct()
              .required("id", StringType, "The dropped row")
              .required("kept_id", StringType, "The earliest kept row that excludes it")
              .required("score", DoubleType, "Their similarity")
              .required("rule", StringType, "Metric that found it")
              .build());

  /** One of the texts that are most similar to a text. */
  public static final Table NEIGHBORS =
      new Table(
          "neighbors",
          "One of the texts that are most similar to a text, as dedup --neighbors finds them.",
          struct()
              .required("id", StringType, "The text's first row")
              .required("neighbor_id", StringType, "The other text's first row")
              .required("rank", IntegerType, "1 for the most similar one")
              .required("score", DoubleType, "Their similarity")
              .build());

  /** One figure of a run. */
  public static final Table METRICS =
      new Table(
          "metrics",
          "One figure at one step of a run.",
          struct()
              .required("step", LongType, "Step, round or batch")
              .required("wall_time", TimestampType, "When it was taken")
              .required("name", StringType, "Name of the figure")
              .required("value", DoubleType, "The figure")
              .build());

  /** One verdict on the answers to a prompt. */
  public static final Table JUDGEMENTS =
      new Table(
          "judgements",
          "One verdict on two answers to a prompt, or one grade of an answer.",
          struct()
              .required(
                  "id",
                  StringType,
                  "The row that was judged: both answers have it; else a stable hash of prompt and"
                      + " answers")
              .column("prompt", StringType, "What was asked; a dialogue as JSON")
              .column("model_a", StringType, "Who gave answer a")
              .column("model_b", StringType, "Who gave answer b")
              .column("answer_a", StringType, "Answer a")
              .column("answer_b", StringType, "Answer b; null where one answer is graded")
              .column("verdict", StringType, "a, b, tie or both_bad")
              .column("judge", StringType, "Who judged")
              .column("shown_first", StringType, "a or b; null where each was, in turn, or none")
              .column("seconds", DoubleType, "Time it took")
              .column("split", StringType, "Which use the verdict may have")
              .column("criterion", StringType, "What was judged by; null is the answers as a whole")
              .column(
                  "score", DoubleType, "The grade; of AlpacaEval's form 1 (b), 1.5 (tie) or 2 (a)")
              .column(
                  "label",
                  new MapType(StringType, StringType, true),
                  "Further verdicts by name: a_first and b_first, of both orders; an audit's"
                      + " questions")
              .column("reason", StringType, "What the judge said")
              .column("source", StringType, "Sources of the answers")
              .column("license", StringType, "Licenses of the answers, or NOASSERTION")
              .build());

  /** What people are asked to rate. */
  public static final Table RATING_ITEMS =
      new Table(
          "rating_items",
          "One thing that people rate, and what its page hides from them. Raters must not see it.",
          struct()
              .required("id", StringType, "What the page calls it; tells nothing of the row")
              .required("row_id", StringType, "The row that is rated")
              .required("form", StringType, "pairwise, ranking, audit, rating or demonstration")
              .column("prompt", StringType, "What was asked; a dialogue as JSON")
              .column("instruction", StringType, "What was asked, where its input is apart")
              .column("input", StringType, "What it was asked about")
              .required(
                  "answers",
                  new ArrayType(
                      struct()
                          .column("text", StringType, "The answer")
                          .column("model", StringType, "Who gave it")
                          .column("side", StringType, "a (--input) or b (--against)")
                          .build(),
                      true),
                  "The answers, in a drawn order: votes name them by their place, from 1")
              .column("expected", StringType, "The right answer's place, where raters are tested")
              .required("source", StringType, "Sources of the answers")
              .required("license", StringType, "Licenses of the answers, or NOASSERTION")
              .build());

  /** How likely a model finds the tokens of one text. */
  public static final Table LOGPROBS =
      new Table(
          "logprobs",
          "How likely the student finds each token of one text.",
          struct()
              .required("id", StringType, "Id of the row that was scored")
              .required("token_ids", new ArrayType(IntegerType, false), "Tokens of the text")
              .required(
                  "logprobs",
                  new ArrayType(DoubleType, true),
                  "Natural logarithm of the probability of each token after those before it; null"
                      + " for a first token with nothing before it")
              .build());

  /** A reward model's number. */
  public static final Table SCORES =
      new Table(
          "scores",
          "A reward model's number of one answer.",
          struct()
              .required("id", StringType, "Row that was scored; of completions their request_id")
              .required("model", StringType, "Reward model, by its folder and its bytes' hash")
              .required("score", DoubleType, "Higher is better")
              .column("side", StringType, "chosen or rejected, of a comparison")
              .column("step", LongType, "Update, of rollouts")
              .column("prompt_id", StringType, "Hash of the prompt, shared by all answers to it")
              .column("answer_id", StringType, "Hash of the answer's text")
              .column("tokens", IntegerType, "Tokens of prompt and answer that were read")
              .build());

  /** The best of several answers to a prompt. */
  public static final Table BEST_OF =
      new Table(
          "best_of",
          "The answer that a reward model likes best among several to one prompt.",
          struct()
              .required("id", StringType, "Hash of the prompt; prompt_id of scores")
              .required("model", StringType, "Reward model, by its folder and its bytes' hash")
              .required("answer_id", StringType, "Hash of the best answer's text")
              .required("row_id", StringType, "Row of that answer; id of scores")
              .column("prompt", StringType, "What was asked; a dialogue as JSON")
              .column("answer", StringType, "The best answer")
              .required("score", DoubleType, "Its score")
              .column("mean_score", DoubleType, "Mean over the answers that were compared")
              .column("answers", IntegerType, "Answers that were compared")
              .column("step", LongType, "Update, of rollouts")
              .required("source", StringType, "Name of the source")
              .required("license", StringType, "SPDX expression, or NOASSERTION")
              .build());

  /** One sampled answer of an update of ppo. */
  public static final Table ROLLOUTS =
      new Table(
          "rollouts",
          "One answer that a policy sampled for an update of ppo.",
          struct()
              .required("step", LongType, "Update, counted from 1")
              .required("id", StringType, "Row that the prompt is of")
              .column("prompt", StringType, "What was asked, as the policy read it")
              .column("answer", StringType, "What was answered, without marks")
              .column("score", DoubleType, "The reward as it was given; null where there was none")
              .column("kl", DoubleType, "Divergence from the reference, summed over the tokens")
              .column(
                  "tokens",
                  new ArrayType(
                      struct()
                          .column("id", IntegerType, "Token that was sampled")
                          .column("logprob", DoubleType, "By the policy, at the temperature")
                          .column("ref_logprob", DoubleType, "By the reference")
                          .column("value", DoubleType, "What the critic expected before it")
                          .column(
                              "advantage",
                              DoubleType,
                              "As it was estimated, before whitening; null where the answer is out")
                          .build(),
                      true),
                  "The answer's tokens, its end mark among them")
              .column("ended", BooleanType, "Whether it came to an end of its own")
              .build());

  /** What came of one item of an evaluation task. */
  public static final Table EVALUATIONS =
      new Table(
          "evaluations",
          "What came of one item of an evaluation task.",
          struct()
              .required("task", StringType, "Name of the task")
              .required("id", StringType, "Row that the item is of")
              .required(
                  "model",
                  StringType,
                  "Who was asked: a server's name of it, or name and hash of the bytes")
              .column(
                  "prompt",
                  StringType,
                  "What the model was shown, its shots included; a dialogue with a teacher as a"
                      + " JSON array of messages")
              .column(
                  "choices",
                  new ArrayType(StringType, true),
                  "Continuations that were scored; none where the model wrote")
              .column(
                  "logprobs",
                  new ArrayType(DoubleType, true),
                  "Natural logarithm of the probability of each, summed over its tokens; of a"
                      + " whole text one")
              .column(
                  "answer",
                  StringType,
                  "The choice with the highest log-probability, or what the model wrote, to the"
                      + " character; of several samples the first")
              .column("target", StringType, "What is right; of several the first")
              .column(
                  "metrics",
                  new MapType(StringType, DoubleType, true),
                  "Metrics of the item by name, and counts that figures are made of")
              .column(
                  "answers",
                  new ArrayType(StringType, true),
                  "What the model wrote, sample by sample, where there are several")
              .column("repeat", IntegerType, "Number of the repeat, from 1")
              .build());

  private static final List<Table> ALL =
      List.of(
          INSTRUCTIONS,
          CONVERSATIONS,
          PREFERENCES,
          DOCUMENTS,
          COMPLETIONS,
          REJECTS,
          DUPLICATES,
          NEIGHBORS,
          METRICS,
          JUDGEMENTS,
          RATING_ITEMS,
          LOGPROBS,
          SCORES,
          BEST_OF,
          ROLLOUTS,
          EVALUATIONS);

  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,63}");

  private Tables() {}

  /** Every canonical table. */
  public static List<Table> all() {
    return ALL;
  }

  /** The canonical table of that name. */
  public static Optional<Table> byName(String name) {
    return ALL.stream().filter(table -> table.name().equals(name)).findFirst();
  }

  /**
   * The canonical table that all references hold: what the first that names one names, else the
   * fallback.
   *
   * @param fallback what files of one's own hold
   * @throws JobException where no canonical table is called so
   */
  public static Table of(List<String> references, String fallback) {
    List<String> names =
        references.stream()
            .map(TableRef::parse)
            .map(ref -> ref instanceof TableRef.Named named ? named.table() : fallback)
            .distinct()
            .toList();
    return names.stream()
        .flatMap(name -> byName(name).stream())
        .findFirst()
        .or(() -> byName(fallback))
        .orElseThrow(
            () ->
                JobException.invalid(
                    "No canonical table is called "
                        + names
                        + ": name one with --table"
                        + Nearest.hint(names.get(0), ALL.stream().map(Table::name).toList())));
  }

  /**
   * What speaks against a name for the rows of a table: that it is no name, or the name of a
   * canonical table with other columns.
   */
  public static Optional<String> objection(String name, Table rows) {
    if (!NAME.matcher(name).matches()) {
      return Optional.of(
          "'" + name + "' is no table's name: a letter, then letters, digits and underscores");
    }
    return ALL.stream()
        .filter(table -> table.name().equalsIgnoreCase(name) && !table.equals(rows))
        .findFirst()
        .map(
            other ->
                "'"
                    + name
                    + "' is the name of the table "
                    + other.name()
                    + ", and the rows are "
                    + rows.name());
  }

  /**
   * Checks what {@code --output-table} names.
   *
   * @param rows what the job writes under that name
   * @throws JobException where it is no name for them
   */
  public static void checkOutput(Optional<String> name, Table rows) {
    name.flatMap(given -> objection(given, rows))
        .ifPresent(
            objection -> {
              throw JobException.invalid(
                  "Option --output-table: " + objection + "; choose another name");
            });
  }

  private static Columns struct() {
    return new Columns();
  }

  /** Builds a schema, a comment with each column. */
  private static final class Columns {
    private StructType schema = new StructType();

    Columns required(String name, DataType type, String comment) {
      schema = schema.add(name, type, false, comment);
      return this;
    }

    Columns column(String name, DataType type, String comment) {
      schema = schema.add(name, type, true, comment);
      return this;
    }

    StructType build() {
      return schema;
    }
  }
}
