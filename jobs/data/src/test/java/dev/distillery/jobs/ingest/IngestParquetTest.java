package dev.distillery.jobs.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sources whose rows nest, as Parquet of real lists and structs: what is made of them is what is
 * made of the same rows as JSON.
 */
class IngestParquetTest {
  @TempDir Path folder;

  /**
   * A source's rows.
   *
   * @param schema of the Parquet file, as publishers have it
   */
  record Case(String source, String table, String schema, String lines) {
    @Override
    public String toString() {
      return source + " " + schema;
    }
  }

  private static final String MESSAGE =
      "struct<message_id: string, parent_id: string, text: string,"
          + " role: string, lang: string, review_result: boolean, deleted: boolean, rank: int";

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "sharegpt",
            "conversations",
            "id string, conversations array<struct<from: string, value: string, weight: double>>,"
                + " system string, mood string",
            """
            {"id": "a", "conversations": [{"from": "human", "value": "Which lake is the deepest?"}, \
            {"from": "gpt", "value": "Lake Baikal, in Siberia.", "weight": 0.5}], "system": "Be brief."}
            {"id": "b", "conversations": [{"from": "human", "value": "And which is the largest?"}, \
            {"from": "gpt", "value": null}], "mood": "glad"}
            """),
        new Case(
            "openai-messages",
            "conversations",
            "messages array<struct<role: string, content: string, tool_calls: array<struct<id:"
                + " string, function: struct<name: string, arguments: struct<zone: string, at:"
                + " double>>>>>>, tools array<struct<name: string, strict: boolean, parameters:"
                + " struct<zone: struct<type: string>, at: struct<type: string, enum:"
                + " array<double>>>>>",
            """
            {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": null, \
            "tool_calls": [{"id": "c", "function": {"name": "map", "arguments": {"zone": "x"}}}, {"id": "d", "function": {"name": "clock", \
            "arguments": {"at": 0.5}}}]}, \
            {"role": "tool", "content": "Here."}, {"role": "assistant", "content": "Here."}], \
            "tools": [{"name": "map", "parameters": {"zone": {"type": "string"}}}, {"name": "clock", \
            "strict": true, "parameters": {"at": {"type": "number", "enum": [0.5, 1.0E10, null]}}}]}
            {"messages": [{"role": "user", "content": "When?"}, {"role": "assistant", "content": null}]}
            """),
        new Case(
            "hc3",
            "conversations",
            "id string, question string, human_answers array<string>, chatgpt_answers"
                + " array<string>, source string",
            """
            {"id": "1", "question": "What is a byte?", "human_answers": ["Eight bits.", "An octet."], \
            "chatgpt_answers": [], "source": "wiki_csai"}
            {"id": "2", "question": "What is a bit?", "human_answers": null, \
            "chatgpt_answers": ["network error", "The least of information."], "source": "wiki_csai"}
            """),
        new Case(
            "oasst",
            "conversations",
            "message_tree_id string, tree_state string, prompt "
                + MESSAGE
                + ", replies: array<"
                + MESSAGE
                + ", replies: array<"
                + MESSAGE
                + ">>>>>",
            """
            {"message_tree_id": "a", "tree_state": "ready_for_export", "prompt": {"message_id": "a", \
            "text": "Oi?", "role": "prompter", "lang": "pt-BR", "replies": [{"message_id": "b", \
            "parent_id": "a", "text": "Oi.", "role": "assistant", "lang": "pt-BR", "review_result": true, \
            "rank": 0, "replies": []}, {"message_id": "c", "text": "Fora.", "role": "assistant", \
            "deleted": true, "replies": null}]}}
            """),
        new Case(
            "oasst",
            "conversations",
            "message_id string, parent_id string, message_tree_id string, text string, role string,"
                + " lang string, deleted boolean, rank int, review_result boolean, labels"
                + " struct<name: array<string>, value: array<double>, count: array<int>>,"
                + " created_date string",
            """
            {"message_id": "a", "message_tree_id": "a", "text": "Hi", "role": "prompter", "lang": "en", \
            "deleted": false, "labels": {"name": ["spam"], "value": [0.0], "count": [3]}}
            {"message_id": "b", "parent_id": "a", "message_tree_id": "a", "text": "Hello", \
            "role": "assistant", "lang": "en", "deleted": false, "rank": 0, "review_result": true}
            """),
        new Case(
            "stackexchange",
            "preferences",
            "qid bigint, question string, date string, metadata array<string>, answers"
                + " array<struct<answer_id: bigint, author: string, author_id: bigint,"
                + " author_profile: string, pm_score: bigint, selected: boolean, text: string>>",
            """
            {"qid": 7, "question": "<p>Why?</p>", "date": "2019/04/02", "metadata": \
            ["https://x.stackexchange.com/questions/7", "https://x.stackexchange.com", ""], "answers": \
            [{"answer_id": 8, "author": "Ann", "pm_score": 4, "selected": true, "text": "<p>Yes.</p>"}, \
            {"answer_id": 9, "author": "Bob", "pm_score": 1, "selected": false, "text": "<p>No.</p>"}]}
            """),
        new Case(
            "preferences",
            "preferences",
            "prompt string, prompt_id string, chosen array<struct<content: string, role: string>>,"
                + " rejected array<struct<content: string, role: string>>, messages"
                + " array<struct<content: string, role: string>>, score_chosen float,"
                + " score_rejected float",
            """
            {"prompt": "Pick.", "prompt_id": "x", "chosen": [{"content": "Pick.", "role": "user"}, \
            {"content": "Good.", "role": "assistant"}], "rejected": [{"content": "Pick.", "role": \
            "user"}, {"content": "Bad.", "role": "assistant"}], "messages": [{"content": "Pick.", \
            "role": "user"}, {"content": "Good.", "role": "assistant"}], "score_chosen": 8.5, \
            "score_rejected": 3.0}
            """),
        new Case(
            "preferences",
            "preferences",
            "instruction string, chosen string, rejected string, output array<string>, margin"
                + " float",
            """
            {"instruction": "Pick.", "chosen": "Good.", "rejected": "Bad."}
            {"instruction": "Rank.", "output": ["Good.", "Bad."]}
            """),
        new Case(
            "webgpt",
            "preferences",
            "question struct<dataset: string, id: string, full_text: string>, quotes_0"
                + " struct<title: array<string>, extract: array<string>>, answer_0 string, tokens_0"
                + " struct<prefix: array<int>, completion: array<int>>, score_0 float, answer_1"
                + " string, score_1 float",
            """
            {"question": {"dataset": "eli5", "id": "q", "full_text": "Why?"}, "quotes_0": {"title": [], \
            "extract": []}, "answer_0": "So.", "score_0": 0.5, "answer_1": "No.", "score_1": -0.5}
            """),
        new Case(
            "summarize-from-feedback",
            "preferences",
            "info struct<id: string, post: string, title: string, subreddit: string, site: string,"
                + " article: string>, summaries array<struct<text: string, policy: string, note:"
                + " string>>, choice int, worker string, batch string, split string, extra"
                + " struct<confidence: int>",
            """
            {"info": {"id": "t3", "post": "First.\\n\\nThen.", "title": "Pets", "subreddit": "aww"}, \
            "summaries": [{"text": " A fox ran.", "policy": "sup1"}, {"text": " A dog slept."}], \
            "choice": 1, "worker": "w", "batch": "b", "split": "valid1", "extra": {"confidence": 8}}
            """),
        new Case(
            "self-instruct-seeds",
            "instructions",
            "id string, name string, instruction string, instances array<struct<input: string,"
                + " output: string>>, is_classification boolean",
            """
            {"id": "s", "name": "count", "instruction": "Count.", "instances": [{"input": "a b", \
            "output": "2"}, {"input": "", "output": "0"}], "is_classification": false}
            """));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void nestedRowsOfParquetBecomeWhatTheyBecomeAsJson(Case given) throws IOException {
    Path json = Files.writeString(folder.resolve("rows.jsonl"), given.lines());
    Path parquet = folder.resolve("rows.parquet");
    LocalSpark.session()
        .read()
        .schema(StructType.fromDDL(given.schema()))
        .json(json.toString())
        .coalesce(1)
        .write()
        .parquet(parquet.toString());
    IngestSummary fromJson = ingest(given, json, "json");
    IngestSummary fromParquet = ingest(given, parquet, "parquet");
    assertThat(rows(fromParquet, given.table()))
        .isNotEmpty()
        .isEqualTo(rows(fromJson, given.table()));
    assertThat(fromParquet.rejects()).isEqualTo(fromJson.rejects());
    assertThat(fromParquet.unreadFields()).isEqualTo(fromJson.unreadFields());
  }

  private IngestSummary ingest(Case given, Path input, String run) {
    return Ingests.run(
        folder.resolve("warehouse"),
        "--source",
        given.source(),
        "--input",
        input.toString(),
        "--run-id",
        run);
  }

  private static List<String> rows(IngestSummary summary, String table) {
    return Ingests.table(summary, table).sort("id").collectAsList().stream()
        .map(Row::toString)
        .toList();
  }

  /** A row that is too long is a reject before anything is made of it, however long its texts. */
  @Test
  void aLongRowOfParquetIsRejectedOrRead() {
    Path parquet = folder.resolve("long.parquet");
    LocalSpark.session()
        .sql(
            "SELECT array(named_struct('role', 'user', 'content', 'Why?'), named_struct('role',"
                + " 'assistant', 'content', repeat('So. ', pieces))) AS messages,"
                + " array(named_struct('name', 'map')) AS tools FROM VALUES (1), (5300000) AS"
                + " t(pieces)")
        .coalesce(1)
        .write()
        .parquet(parquet.toString());
    IngestSummary some = ingestLong(parquet, "some", "16777216");
    assertThat(some.rejects()).containsOnlyKeys("row_too_long");
    assertThat(Ingests.table(some, "conversations").count()).isEqualTo(1);
    IngestSummary all = ingestLong(parquet, "all", "33554432");
    assertThat(all.rejects()).isEmpty();
    assertThat(Ingests.table(all, "conversations").count()).isEqualTo(2);
  }

  private IngestSummary ingestLong(Path parquet, String run, String maxRowBytes) {
    return Ingests.run(
        folder.resolve("warehouse"),
        "--source",
        "openai-messages",
        "--input",
        parquet.toString(),
        "--run-id",
        run,
        "--max-row-bytes",
        maxRowBytes);
  }

  /** The numbers of the file are what the row has, whatever type their column is of. */
  @Test
  void numbersOfParquetAreTheirText() {
    Path parquet = folder.resolve("numbers.parquet");
    LocalSpark.session()
        .sql(
            "SELECT 'Add.' AS instruction, CAST(0.1 AS FLOAT) AS input, 3L AS output UNION ALL"
                + " SELECT 'Sum.', CAST('NaN' AS FLOAT), CAST(NULL AS BIGINT)")
        .coalesce(1)
        .write()
        .parquet(parquet.toString());
    IngestSummary summary =
        Ingests.run(
            folder.resolve("warehouse"), "--source", "alpaca", "--input", parquet.toString());
    assertThat(Ingests.table(summary, "instructions").select("input", "output").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[0.1,3]");
    assertThat(summary.rejects()).containsOnlyKeys("null_content");
  }

  /** The footer is whole, so that only the task that reads the page sees it. */
  @Test
  void aDamagedPageIsRefusedWithItsFile() throws IOException {
    Path parquet = folder.resolve("pages.parquet");
    LocalSpark.session()
        .sql("SELECT 'Add.' AS instruction, '' AS input, 'So.' AS output")
        .coalesce(1)
        .write()
        .parquet(parquet.toString());
    Path part;
    try (Stream<Path> files = Files.list(parquet)) {
      part = files.filter(file -> file.toString().endsWith(".parquet")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(part);
    Arrays.fill(bytes, 4, 40, (byte) 0xff);
    Path damaged = Files.write(folder.resolve("damaged.parquet"), bytes);
    assertThatThrownBy(
            () ->
                Ingests.run(
                    folder.resolve("warehouse"),
                    "--source",
                    "alpaca",
                    "--input",
                    damaged.toString()))
        .isInstanceOf(JobException.class)
        .hasMessageStartingWith("Cannot read " + damaged + " to its end: it is damaged")
        .satisfies(e -> assertThat(((JobException) e).exitCode()).isEqualTo(ExitCode.INVALID));
  }
}
