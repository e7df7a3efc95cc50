package dev.distillery.jobs.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.rating.Agreement;
import dev.distillery.core.rating.Interval;
import dev.distillery.core.rating.LengthControlled;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeRequest;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class JudgeJobTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern ITEM = Pattern.compile("item (\\w+):");
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path folder;
  private FakeLlmServer server;

  @BeforeEach
  void start() {
    server = FakeLlmServer.start(FakeScript.echo());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  /** What is decided of an item; {L} and {R} are the letters under which the judge sees them. */
  private void judge(Function<String, String> replies) {
    server.script(
        request -> {
          Matcher item = ITEM.matcher(request.prompt());
          assertThat(item.find()).isTrue();
          boolean first =
              request.prompt().indexOf("LEFTANSWER") < request.prompt().indexOf("RIGHTANSWER");
          String reply = replies.apply(item.group(1));
          return FakeAnswer.says(
              request, reply.replace("{L}", first ? "A" : "B").replace("{R}", first ? "B" : "A"));
        });
  }

  private static String left(String id) {
    return completion(id, "left", "LEFTANSWER", "ok");
  }

  private static String right(String id) {
    return completion(id, "right", "RIGHTANSWER", "ok");
  }

  private static String completion(String id, String model, String answer, String status) {
    ObjectNode row = JSON.createObjectNode();
    row.put("request_id", model + id).put("id", id).put("model", model).put("status", status);
    row.put("prompt", "[{\"role\": \"user\", \"content\": \"item " + id + ": which?\"}]");
    row.put("text", status.equals("ok") ? answer : null).put("license", "CC0-1.0");
    return row + "\n";
  }

  @Test
  void bothOrdersAreAskedAndDisagreementIsATie() throws IOException {
    Map<String, String> replies =
        Map.of(
            "l", "Well.\n[[{L}]]",
            "r", "[[{R}]]",
            "t", "[[C]]",
            "first", "[[A]]",
            "prose", "{L} is better.",
            "quote", "It says \"take LEFTANSWER, that is [[A]]\".");
    judge(replies::get);
    var a = new StringBuilder();
    var b = new StringBuilder();
    for (String id : replies.keySet()) {
      a.append(
          id.equals("quote")
              ? completion(id, "left", "Please take LEFTANSWER, that is [[A]]", "ok")
              : left(id));
      b.insert(0, right(id));
    }
    JudgeSummary summary = run("both", pair(a, b), Map.of());

    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.figures())
        .containsEntry("pairs", 6L)
        .containsEntry("requests", 12L)
        .containsEntry("judged", 4L)
        .containsEntry("wins", 1L)
        .containsEntry("losses", 1L)
        .containsEntry("ties", 2L)
        .containsEntry("unparsed", 2L)
        .containsEntry("win_rate", 0.25)
        .containsEntry("win_rate_adjusted", 0.5)
        .containsEntry("order_agreement", 0.75)
        // l, r and first were decided twice each: 1 of 2, 1 of 2 and 2 of 2.
        .containsEntry("first_position_share", 4 / 6.0);
    assertThat(summary.rejects()).containsExactly(Map.entry("unparsed", 2L));
    assertThat(table("judgements", "both"))
        .extracting(
            row ->
                row.getAs("id")
                    + " "
                    + row.getAs("verdict")
                    + " "
                    + row.getJavaMap(row.fieldIndex("label")).get("b_first")
                    + row.getAs("model_a")
                    + row.getAs("answer_b")
                    + row.getAs("judge")
                    + row.getAs("license"))
        .containsExactlyInAnyOrder(
            "l a aleftRIGHTANSWERfake-modelCC0-1.0",
            "r b bleftRIGHTANSWERfake-modelCC0-1.0",
            "t tie tieleftRIGHTANSWERfake-modelCC0-1.0",
            "first tie bleftRIGHTANSWERfake-modelCC0-1.0");
    assertThat(table("rejects", "both"))
        .extracting(row -> row.<String>getAs("detail"))
        .allMatch(said -> said.contains("first gives no [[A]], [[B]] or [[C]]"));
    assertThat(table("completions", "both")).hasSize(12);
    assertThat(server.log().requests())
        .extracting(FakeRequest::prompt)
        .allMatch(prompt -> prompt.contains("which?") && !prompt.contains("\"role\""));

    JudgeSummary again = run("again", pair(a, b), Map.of("reuse-completions", "completions@both"));
    assertThat(again.figures()).containsEntry("requests_reused", 12L).containsEntry("wins", 1L);
    assertThat(server.log().entries()).hasSize(12);
  }

  @Test
  void answersAreJoinedByIdAndThoseOfOneSideAreNamed() throws IOException {
    judge(id -> "[[{L}]]");
    var a = new StringBuilder();
    for (String id : List.of("1", "2", "3", "4", "5")) {
      a.append(left(id));
    }
    a.append(left("5"));
    String b = right("99") + right("5") + completion("4", "right", "", "failed") + right("1");
    Map<String, String> inputs = pair(a, b);
    JudgeSummary refused = run("refused", inputs, Map.of());
    assertThat(refused.run().exitCode()).isEqualTo(ExitCode.INVALID);
    assertThat(refused.run().message())
        .contains("2 of 6 ids can be judged, less than --min-matched 1.0 asks for")
        .contains("{only_in_against=1, only_in_input=3}")
        .contains("only in --input: [2, 3, 4], only in --against: [99]");
    assertThat(server.log().entries()).isEmpty();

    JudgeSummary summary = run("some", inputs, Map.of("min-matched", "0.3"));
    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.figures())
        .containsEntry("ids", 6L)
        .containsEntry("pairs", 2L)
        .containsEntry("only_in_input", 3L)
        .containsEntry("only_in_against", 1L)
        .containsEntry("win_rate", 1.0);
    assertThat(summary.onlyInInputIds()).containsExactly("2", "3", "4");
    assertThat(summary.onlyInAgainstIds()).containsExactly("99");
    assertThat(summary.rejects())
        .containsOnly(Map.entry("only_in_input", 3L), Map.entry("only_in_against", 1L));
    assertThat(summary.tables().get("duplicates").rows()).isEqualTo(1);
    assertThat(table("rejects", "some"))
        .filteredOn(row -> row.getAs("id").equals("4"))
        .extracting(row -> row.<String>getAs("detail"))
        .containsExactly("The row of --against holds no answer");

    String twice = left("1") + completion("1", "left", "Another.", "ok");
    assertThatThrownBy(() -> run("twice", pair(twice, right("1")), Map.of()))
        .hasMessageContaining("The id '1' stands for different answers in ")
        .hasMessageContaining("one answer for each id");
  }

  @Test
  void everyCriterionHasItsOwnVerdictsAndPrompt() throws IOException {
    server.script(
        request ->
            request.prompt().contains("Only harmless counts.")
                ? FakeAnswer.says(request, "[[C]]")
                : request.prompt().contains("LEFTANSWER, then")
                    ? FakeAnswer.says(request, "[[A]]")
                    : FakeAnswer.says(request, "?"));
    Path own =
        Files.writeString(
            folder.resolve("own.txt"),
            "{{prompt}} {{first}}, then {{second}}? Only {{criterion}} counts. [[A]], [[B]],"
                + " [[C]]");
    Map<String, String> inputs = pair(left("1") + left("2"), right("1") + right("2"));
    JudgeSummary summary =
        run("axes", inputs, Map.of("criteria", "helpful,harmless", "judge-prompt", own.toString()));
    assertThat(summary.figures())
        .containsEntry("requests", 8L)
        .containsEntry("unparsed.helpful", 2L)
        .containsEntry("judged.helpful", 0L)
        .doesNotContainKey("win_rate.helpful")
        .containsEntry("judged.harmless", 2L)
        .containsEntry("win_rate_adjusted.harmless", 0.5);
    assertThat(table("judgements", "axes"))
        .extracting(row -> row.<String>getAs("criterion"))
        .containsExactly("harmless", "harmless");

    Files.writeString(own, "{{prompt}} {{frist}} {{second}}");
    assertThatThrownBy(
            () ->
                run("wrong", inputs, Map.of("criteria", "helpful", "judge-prompt", own.toString())))
        .hasMessageContaining("{{frist}} is unknown here")
        .hasMessageContaining("lacks {{criterion}}")
        .hasMessageContaining("asks for no verdict; say that it is written [[A]], [[B]] or [[C]]");
  }

  @Test
  void gradesHaveAMeanWithItsStandardError() throws IOException {
    Map<String, String> grades =
        Map.of("a", "Rating: [[7]]", "b", "[[10]]", "c", "So [[4.5]].", "d", "[[11]]", "e", "Fine");
    judge(grades::get);
    var rows = new StringBuilder();
    grades.keySet().forEach(id -> rows.append(left(id)));
    JudgeSummary summary = run("grades", Map.of("input", jsonl(rows)), Map.of("form", "single"));
    assertThat(summary.figures())
        .containsEntry("judged", 3L)
        .containsEntry("unparsed", 2L)
        .doesNotContainKey("pairs");
    // Python's statistics: mean and std(ddof=1) / sqrt(3) of 7, 10, 4.5
    assertThat(summary.results().get("mean_score").doubleValue())
        .isCloseTo(7.166666666666667, within(1e-12));
    assertThat(summary.results().get("mean_score_stderr").doubleValue())
        .isCloseTo(1.5898986690282428, within(1e-12));
    assertThat(table("judgements", "grades"))
        .extracting(row -> row.getAs("id") + " " + row.getAs("score") + row.getAs("answer_b"))
        .containsExactlyInAnyOrder("a 7.0null", "b 10.0null", "c 4.5null");
  }

  @Test
  void aRunThatStoppedGoesOnAndADryRunAsksNothing() throws IOException {
    judge(id -> "[[{L}]]");
    Map<String, String> inputs = pair(left("1") + left("2"), right("1") + right("2"));
    JudgeSummary plan = run("plan", inputs, Map.of("dry-run", "true"));
    assertThat(plan.status()).isEqualTo("dry-run");
    assertThat(plan.figures()).containsEntry("pairs", 2L).containsEntry("requests", 4L);
    assertThat(plan.figures().get("prompt_tokens_estimate").longValue()).isGreaterThan(400);
    assertThat(server.log().entries()).isEmpty();

    JudgeSummary stopped =
        run("stopped", inputs, Map.of("max-requests", "1", "publish-partial", "true"));
    assertThat(stopped.run().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(table("judgements", "stopped")).isEmpty();
    JudgeSummary done = run("stopped", inputs, Map.of("max-requests", "4"));
    assertThat(done.figures()).containsEntry("requests_resumed", 1L).containsEntry("wins", 2L);
    assertThat(server.log().entries()).hasSize(4);
  }

  @Test
  void alpacaEvalsFormDrawsOneOrderByThePromptAndAsksNothingOfEqualOutputs() throws IOException {
    judge(id -> id.equals("t") ? "[[C]]" : "[[{L}]]");
    var a = new StringBuilder(completion("same", "left", "Equal.", "ok"));
    var b = new StringBuilder(completion("same", "right", "Equal.", "ok"));
    for (int i = 0; i < 20; i++) {
      a.append(left("i" + i));
      b.append(right("i" + i));
    }
    a.append(left("t"));
    b.append(right("t"));
    Map<String, String> inputs = pair(a, b);
    Map<String, String> some = difficulties("{\"id\": \"t\", \"difficulty\": 1}\n");
    assertThatThrownBy(() -> run("hard", inputs, some))
        .hasMessageContaining("Option --difficulties: ")
        .hasMessageContaining("has none of the id 'i0', but of such as 't'; give one of every id");
    assertThatThrownBy(
            () -> run("nan", inputs, difficulties("{\"id\": \"t\", \"difficulty\": NaN}")))
        .hasMessageContaining(".jsonl: the difficulty of the id 't' is NaN; expected a finite");
    String two = "{\"id\": \"t\", \"difficulty\": 1}\n{\"id\": \"t\", \"difficulty\": 2}";
    assertThatThrownBy(() -> run("two", inputs, difficulties(two)))
        .hasMessageContaining("The id 't' stands for different difficulties in ");
    assertThat(server.log().entries()).isEmpty();
    var hard = new StringBuilder();
    for (String row : a.toString().split("\n", -1)) {
      if (!row.isEmpty()) {
        String id = JSON.readTree(row).path("id").asText();
        hard.append("{\"id\": \"%s\", \"difficulty\": -0.5}\n".formatted(id));
      }
    }
    JudgeSummary summary =
        run("alpaca", inputs, Map.of("form", "alpaca-eval", "difficulties", jsonl(hard)));
    assertThat(summary.figures())
        .containsKeys("length_controlled_win_rate", "length_controlled_win_rate_stderr");
    assertThat(summary.figures())
        .containsEntry("requests", 21L)
        .containsEntry("judged", 22L)
        .containsEntry("identical", 1L)
        .containsEntry("win_rate", 21 / 22.0);
    List<Row> rows = table("judgements", "alpaca");
    assertThat(rows).extracting(row -> row.<String>getAs("shown_first")).contains("a", "b", null);
    assertThat(rows)
        .filteredOn(row -> row.getAs("id").equals("t") || row.getAs("id").equals("same"))
        .allMatch(row -> row.<Double>getAs("score") == 1.5 && row.getAs("verdict").equals("tie"));
  }

  @Test
  void alpacasColumnsGoBeforeTextsThatHoldThemAll() throws IOException {
    judge(id -> "[[{L}]]");
    ObjectNode row = JSON.createObjectNode().put("id", "1");
    row.put("instruction", "item 1: sort").put("input", "b, a").put("output", "LEFTANSWER");
    row.put("prompt", "Below is item x: ...").put("text", "Below is ... LEFTANSWER");
    run("alpaca-rows", pair(row.toString(), right("1")), Map.of());
    Row judged = table("judgements", "alpaca-rows").get(0);
    assertThat(judged.<String>getAs("prompt")).isEqualTo("item 1: sort\n\nb, a");
    assertThat(judged.<String>getAs("answer_a")).isEqualTo("LEFTANSWER");
  }

  @Test
  void whatTheJudgeCannotSeeIsRejectedAndNotOfTheShare() throws IOException {
    judge(id -> "[[{L}]]");
    String calls = "[{\"function\": {\"name\": \"look\"}}]";
    ObjectNode text = (ObjectNode) JSON.readTree(left("t"));
    text.put("tool_calls", calls);
    ObjectNode list = (ObjectNode) JSON.readTree(left("l"));
    list.set("tool_calls", JSON.readTree(calls));
    ObjectNode blind = (ObjectNode) JSON.readTree(left("p"));
    blind.remove("prompt");
    ObjectNode blinder = (ObjectNode) JSON.readTree(right("p"));
    blinder.remove("prompt");
    Map<String, String> inputs =
        pair(text + "\n" + blind + "\n" + left("1"), right("t") + right("1") + blinder + "\n");
    JudgeSummary refused = run("blind", inputs, Map.of());
    assertThat(refused.run().message())
        .contains("1 of 3 ids can be judged, less than --min-matched 1.0 asks for")
        .contains("{calls_tools=1, no_prompt=1}");
    JudgeSummary summary = run("blind", inputs, Map.of("min-matched", "0.3"));
    assertThat(summary.figures()).containsEntry("pairs", 1L).containsEntry("judged", 1L);
    assertThat(summary.rejects())
        .containsOnly(Map.entry("calls_tools", 1L), Map.entry("no_prompt", 1L));

    JudgeSummary none = run("none", pair(list.toString(), right("l")), Map.of("min-matched", "0"));
    assertThat(none.run().exitCode()).isEqualTo(ExitCode.INVALID);
    assertThat(none.run().message()).startsWith("0 of 1 ids can be judged; of the others are");
  }

  @Test
  void promptsDifferByWhatIsReadInThem() throws IOException {
    judge(id -> "[[{L}]]");
    ObjectNode plain = (ObjectNode) JSON.readTree(right("1"));
    plain.put("prompt", "item 1: which?");
    ObjectNode spelled = (ObjectNode) JSON.readTree(right("2"));
    spelled.put("prompt", "[{\"content\":\"item 2: which?\",\"role\":\"user\"}]");
    ObjectNode other = (ObjectNode) JSON.readTree(right("3"));
    other.put("prompt", "item 3: where?");
    JudgeSummary summary =
        run(
            "differ",
            pair(left("1") + left("2") + left("3"), plain + "\n" + spelled + "\n" + other),
            Map.of("dry-run", "true"));
    assertThat(summary.figures()).containsEntry("prompts_differ", 1L);
  }

  @Test
  void aReplyThatDidNotEndByItselfIsCutAndNotRead() throws IOException {
    Path recorded = folder.resolve("recorded.jsonl");
    var replies = new StringBuilder();
    Map<String, String> ends =
        Map.of(
            "1", "stop", "2", "length", "3", "content_filter", "4", "end_turn", "5", "tool_calls");
    var a = new StringBuilder();
    var b = new StringBuilder();
    Map<String, String> replay = Map.of("teacher", "replay", "model", recorded.toString());
    var questions = questions(Map.of("input", "x", "against", "y"), replay);
    for (String id : ends.keySet()) {
      a.append(left(id));
      b.append(right(id));
      String prompt = "item " + id + ": which?";
      var item = new JudgedItem(id, prompt, "left", "LEFTANSWER", "right", "RIGHTANSWER", "", "");
      for (Questions.Question question : questions.about(item)) {
        ObjectNode reply = JSON.createObjectNode();
        reply.put("request_id", question.request().requestId()).put("text", "[[A]]");
        replies.append(reply.put("finish_reason", ends.get(id))).append('\n');
      }
    }
    Files.writeString(recorded, replies);
    JudgeSummary summary = run("cut", pair(a, b), replay);
    assertThat(summary.figures())
        .containsEntry("judged", 3L)
        .containsEntry("cut", 2L)
        .containsEntry("unparsed", 0L);
    assertThat(summary.rejects()).containsExactly(Map.entry("cut", 2L));
    assertThat(table("rejects", "cut"))
        .extracting(row -> row.<String>getAs("detail"))
        .anyMatch(said -> said.contains("is cut: its finish_reason is length (raise --max-new-"));
  }

  @Test
  void repliesThatWerePaidForAreFoundByTheirRequest() throws IOException {
    judge(id -> "[[{L}]]");
    Map<String, String> inputs = pair(left("1") + left("2"), right("1") + right("2"));
    run("paid", inputs, Map.of());
    var bare = new StringBuilder();
    for (Row row : table("completions", "paid")) {
      ObjectNode reply = JSON.createObjectNode();
      reply.put("request_id", row.<String>getAs("request_id")).put("model", "fake-model");
      bare.append(reply.put("status", "ok").put("text", row.<String>getAs("text"))).append('\n');
    }
    JudgeSummary again = run("free", inputs, Map.of("reuse-completions", jsonl(bare)));
    assertThat(again.figures()).containsEntry("requests_reused", 4L).containsEntry("wins", 2L);
    assertThat(server.log().entries()).hasSize(4);
  }

  @Test
  void modelsOfOneNameAreToldApartByTheirFiles() throws IOException {
    var ids = new TreeMap<String, String>();
    for (String content : List.of("one", "two")) {
      Path model = Files.createDirectories(folder.resolve(content)).resolve("judge.gguf");
      Files.writeString(model, content);
      var questions =
          questions(
              Map.of("input", "x", "form", "single"),
              Map.of("teacher", "gguf", "model", model.toString()));
      var item = new JudgedItem("1", "Which?", "left", "LEFTANSWER", null, null, "", "");
      Questions.Question question = questions.about(item).get(0);
      assertThat(question.request().model()).isEqualTo("judge.gguf");
      ids.put(questions.judge(), question.request().requestId());
    }
    // sha256sum of both
    assertThat(ids).containsOnlyKeys("judge.gguf@7692c3ad3540", "judge.gguf@3fc4ccfe7458");
    assertThat(ids.values()).doesNotHaveDuplicates();
  }

  private Questions questions(Map<String, String> inputs, Map<String, String> more) {
    var given = new HashMap<>(inputs);
    given.putAll(more);
    JudgeOptions options = OptionsBinder.of(JudgeOptions.class).bind(values("any", given));
    return Questions.of(options, JudgePrompt.of(options, Optional.empty()));
  }

  @Test
  void unreadVerdictsAreOfNoRateWhateverTheLengths() throws IOException {
    judge(id -> id.startsWith("u") ? "?" : "[[{L}]]");
    var a = new StringBuilder();
    var b = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      a.append(left("i" + i));
      b.append(right("i" + i));
    }
    JudgeSummary without = run("without", pair(a, b), Map.of("form", "alpaca-eval"));
    a.append(completion("u", "left", "LEFTANSWER" + " long".repeat(900), "ok"));
    b.append(right("u"));
    JudgeSummary with = run("with", pair(a, b), Map.of("form", "alpaca-eval"));
    assertThat(with.figures()).containsEntry("unparsed", 1L);
    assertThat(with.results().get("length_controlled_minimal_win_rate"))
        .isNotNull()
        .isEqualTo(without.results().get("length_controlled_minimal_win_rate"));
  }

  @Test
  void verdictsForOneSideBecomePreferencesAndTiesDoNot() throws IOException {
    judge(id -> Map.of("1", "[[{L}]]", "2", "[[{R}]]", "3", "[[C]]").get(id));
    Map<String, String> inputs =
        pair(left("1") + left("2") + left("3"), right("1") + right("2") + right("3"));
    JudgeSummary summary = run("bridge", inputs, Map.of("preferences", "true"));
    assertThat(summary.tables().get("preferences").rows()).isEqualTo(2);
    assertThat(
            new TableReader(
                    spark,
                    Warehouse.at(folder.resolve("warehouse").toString(), new Configuration()),
                    note -> {})
                .read(TableRef.parse("preferences@bridge"), Tables.PREFERENCES)
                .selectExpr(
                    "group_id",
                    "chosen",
                    "rejected",
                    "prompt[0].role",
                    "prompt[0].content",
                    "license")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactlyInAnyOrder(
            "[1,LEFTANSWER,RIGHTANSWER,user,item 1: which?,CC0-1.0]",
            "[2,RIGHTANSWER,LEFTANSWER,user,item 2: which?,CC0-1.0]");
  }

  /** Cohen's kappa and its interval themselves are held to statsmodels' in core. */
  @Test
  void agreementWithPeopleIsCountedWhateverTheFormOfTheirVotes() throws IOException {
    judge(id -> id.equals("4") ? "[[C]]" : "[[{L}]]");
    Map<String, String> inputs =
        pair(
            left("1") + left("2") + left("3") + left("4"),
            right("1") + right("2") + right("3") + right("4"));
    String votes =
        """
        {"question_id": 1, "model_a": "left", "model_b": "right", "winner": "model_a", "turn": 1}
        {"question_id": 1, "model_a": "right", "model_b": "left", "winner": "model_a", "turn": 1}
        {"question_id": 1, "model_a": "left", "model_b": "other", "winner": "model_b", "turn": 1}
        {"question_id": 1, "model_a": "left", "model_b": "right", "winner": "model_b", "turn": 2}
        """;
    String annotations =
        """
        {"instruction": "item 2: which?", "output_1": "RIGHTANSWER", "output_2": "LEFTANSWER", "preference": 2}
        {"instruction": "item 3: which?", "output_1": "LEFTANSWER", "output_2": "RIGHTANSWER", "preference": 0}
        """;
    String judgements = "{\"id\": \"4\", \"verdict\": \"both_bad\"}";
    Path all = Files.createDirectory(folder.resolve("people"));
    Files.writeString(all.resolve("a.jsonl"), votes);
    Files.writeString(all.resolve("b.jsonl"), annotations);
    Files.writeString(all.resolve("c.jsonl"), judgements);
    JudgeSummary summary = run("people", inputs, Map.of("human", all.toString()));
    long[][] table = {{2, 1, 1}, {0, 0, 0}, {0, 0, 1}};
    Interval interval = Agreement.cohenKappaInterval(table).orElseThrow();
    assertThat(summary.figures())
        .containsEntry("human_votes_given", 7L)
        .containsEntry("human_votes", 5L)
        .containsEntry("human_votes_without_ties", 3L)
        .containsEntry("human_agreement", 3 / 5.0)
        .containsEntry("human_agreement_without_ties", 2 / 3.0)
        .containsEntry("human_kappa", Agreement.cohenKappa(table).orElseThrow())
        .containsEntry("human_kappa_low", interval.low().orElseThrow())
        .containsEntry("human_kappa_high", interval.high().orElseThrow());

    Files.writeString(all.resolve("c.jsonl"), "{\"id\": \"4\", \"verdict\": \"left\"}");
    assertThatThrownBy(() -> run("odd", inputs, Map.of("human", all.toString(), "dry-run", "true")))
        .hasMessageContaining("c.jsonl: 'left' is no verdict; expected a, b, tie or both_bad");
  }

  /**
   * The published verdicts as replies: preference 1 is the baseline, 2 the model, 0 and 1.5 none.
   */
  @Test
  void publishedAnnotationsOfAlpacaEvalGiveThePublishedWinRate() throws IOException {
    Path data = FetchedModel.root().resolve("../shared/data/alpaca-eval");
    assumeTrue(Files.exists(data), "AlpacaEval's published files lie beside the repository");
    Map<String, String> outputs = new HashMap<>();
    for (JsonNode row : JSON.readTree(data.resolve("outputs_alpaca-7b.json").toFile())) {
      outputs.put(row.path("instruction").asText(), row.path("output").asText());
    }
    var model = new StringBuilder();
    var baseline = new StringBuilder();
    var replies = new StringBuilder();
    var lengths = new TreeMap<String, LengthControlled.Item>();
    Path recorded = folder.resolve("recorded.jsonl");
    Map<String, String> given = new HashMap<>();
    given.put("input", folder.resolve("model.jsonl").toString());
    given.put("against", folder.resolve("baseline.jsonl").toString());
    given.put("form", "alpaca-eval");
    given.put("teacher", "replay");
    given.put("model", recorded.toString());
    JudgeOptions options = OptionsBinder.of(JudgeOptions.class).bind(values("published", given));
    var questions = Questions.of(options, JudgePrompt.of(options, Optional.empty()));
    for (JsonNode row :
        JSON.readTree(data.resolve("annotations_alpaca-7b_alpaca_eval_gpt4.json").toFile())) {
      String instruction = row.path("instruction").asText();
      String output = outputs.get(instruction);
      String reference = row.path("output_1").asText();
      model.append(row(instruction, output, "alpaca-7b"));
      baseline.insert(0, row(instruction, reference, "text_davinci_003"));
      var item = new JudgedItem(instruction, instruction, "m", output, "b", reference, "s", "l");
      double wanted = row.path("preference").asDouble();
      lengths.put(
          instruction,
          new LengthControlled.Item(
              OptionalDouble.of(wanted == 0 ? 0.5 : wanted - 1),
              reference.codePointCount(0, reference.length()),
              output.codePointCount(0, output.length()),
              OptionalDouble.empty()));
      for (Questions.Question question : questions.about(item)) {
        boolean modelFirst = question.first() == Questions.First.A;
        String letter =
            wanted == 2 ? modelFirst ? "A" : "B" : wanted == 1 ? modelFirst ? "B" : "A" : "C";
        replies.append(
            JSON.createObjectNode()
                    .put("request_id", question.request().requestId())
                    .put("text", "[[" + letter + "]]")
                + "\n");
      }
    }
    Files.writeString(recorded, replies);
    Files.writeString(folder.resolve("model.jsonl"), model);
    Files.writeString(folder.resolve("baseline.jsonl"), baseline);
    JudgeSummary summary = new JudgeJob().run(spark, options);
    assertThat(summary.figures())
        .containsEntry("pairs", 805L)
        .containsEntry("wins", 205L)
        .containsEntry("ties", 16L)
        .containsEntry("identical", 16L);
    // Python's statistics: mean and stdev / sqrt(n) of preference - 1 over the annotations, draws
    // 1.5
    assertThat(summary.results().get("win_rate").doubleValue())
        .isCloseTo(0.2645962732919255, within(1e-12));
    assertThat(summary.results().get("win_rate_stderr").doubleValue())
        .isCloseTo(0.01535711469748, within(1e-12));

    assertThat(summary.results().get("length_controlled_minimal_win_rate"))
        .as("The fit itself is held to scikit-learn's in core")
        .isEqualTo(LengthControlled.fit(List.copyOf(lengths.values())).orElseThrow().winRate());

    Files.writeString(recorded, "\n", StandardOpenOption.APPEND);
    assertThatThrownBy(() -> new JudgeJob().run(spark, options))
        .as("Another judge under the run's id")
        .hasMessageContaining("model content");
  }

  private Map<String, String> difficulties(String rows) throws IOException {
    return Map.of("form", "alpaca-eval", "difficulties", jsonl(rows), "dry-run", "true");
  }

  private static String row(String instruction, String output, String generator) {
    return JSON.createObjectNode()
            .put("id", instruction)
            .put("instruction", instruction)
            .put("output", output)
            .put("generator", generator)
        + "\n";
  }

  private Map<String, String> pair(CharSequence a, CharSequence b) throws IOException {
    return Map.of("input", jsonl(a), "against", jsonl(b));
  }

  private String jsonl(CharSequence rows) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "answers", ".jsonl"), rows).toString();
  }

  private JudgeSummary run(String id, Map<String, String> inputs, Map<String, String> more) {
    var given = new HashMap<>(inputs);
    given.putAll(more);
    return new JudgeJob().run(spark, OptionsBinder.of(JudgeOptions.class).bind(values(id, given)));
  }

  private Map<String, List<String>> values(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("teacher", List.of("openai"));
    values.put("model", List.of("fake-model"));
    values.put("base-url", List.of(server.baseUrl()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(folder.resolve("warehouse").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return values;
  }

  private List<Row> table(String name, String id) {
    return spark
        .read()
        .parquet(folder.resolve("warehouse/" + name + "/run_id=" + id).toString())
        .collectAsList();
  }
}
