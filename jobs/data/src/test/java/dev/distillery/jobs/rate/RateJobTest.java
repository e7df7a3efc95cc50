package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.RunOptions;
import dev.distillery.jobs.rate.RateSummary.RatedModel;
import dev.distillery.jobs.rate.RateSummary.Rater;
import dev.distillery.jobs.rate.RateSummary.RaterPair;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class RateJobTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path folder;

  private static String answer(String id, String model, String text) {
    ObjectNode row = JSON.createObjectNode();
    row.put("id", id)
        .put("prompt", "What of " + id.hashCode() + "?")
        .put("model", model)
        .put("text", text);
    return row.put("source", "mine").put("license", "CC0-1.0") + "\n";
  }

  private static String instructed(String id, String model, String text) {
    return answer(id, model, text).replace("\"prompt\"", "\"input\":\"1, 2\",\"instruction\"");
  }

  private String file(String name, CharSequence lines) throws IOException {
    return Files.writeString(folder.resolve(name), lines).toString();
  }

  private RunOptions run(String id) {
    return RunOptions.builder().warehouse(folder.resolve("warehouse") + "").runId(id).build();
  }

  private RateSummary rate(RateOptionsBuilder options) {
    return new RateJob().run(spark, options.build(), update -> {});
  }

  private RateOptionsBuilder making(String id, String input) {
    return RateOptions.builder()
        .run(run(id))
        .input(List.of(input))
        .output(Optional.of(folder.resolve(id + ".html").toString()));
  }

  private RateOptionsBuilder pairs(String id, CharSequence a, CharSequence b) throws IOException {
    return making(id, file(id + "-a.jsonl", a)).against(List.of(file(id + "-b.jsonl", b)));
  }

  private RateSummary collect(String id, String page, CharSequence lines) throws IOException {
    return rate(
        RateOptions.builder()
            .run(run(id))
            .input(List.of("rating_items@" + page))
            .collect(List.of(file(id + ".jsonl", lines))));
  }

  private List<Row> table(String name, String run) {
    return spark
        .read()
        .parquet(folder.resolve("warehouse/" + name + "/run_id=" + run).toString())
        .collectAsList();
  }

  /** The items of a page by the row that they are of. */
  private Map<String, RatingItem> items(String page) {
    return table("rating_items", page).stream()
        .map(RatingItem::of)
        .collect(Collectors.toMap(RatingItem::rowId, item -> item));
  }

  private static ObjectNode vote(RatingItem item, String judge) {
    ObjectNode vote = JSON.createObjectNode().put("id", item.id()).put("judge", judge);
    return vote.put("form", item.form().word()).put("seconds", 2.5);
  }

  private static String placed(RatingItem item, String verdict) {
    return verdict.equals("a") || verdict.equals("b") ? item.placeOf(verdict) : verdict;
  }

  private String page(String id) throws IOException {
    return Files.readString(folder.resolve(id + ".html"));
  }

  private static JsonNode data(String page) throws IOException {
    String head = "<script id=\"data\" type=\"application/json\">";
    int from = page.indexOf(head) + head.length();
    return JSON.readTree(page.substring(from, page.indexOf("</script>", from)));
  }

  @Test
  void fiveRatersWithAKnownBiasGiveTheFiguresOfScipyAndOthers() throws IOException {
    JsonNode golden =
        JSON.readTree(Files.readString(Path.of("src/test/resources/golden/rate.json")));
    var a = new StringBuilder();
    var b = new StringBuilder();
    for (JsonNode item : golden.get("items")) {
      String id = item.get("id").textValue();
      a.append(answer(id, item.get("model_a").textValue(), "left " + id));
      b.insert(0, answer(id, item.get("model_b").textValue(), "right " + id));
    }
    RateSummary made = rate(pairs("page", a, b));
    assertThat(made.items()).isEqualTo(60);
    Map<String, RatingItem> items = items("page");
    Map<String, StringBuilder> exports = new TreeMap<>();
    for (JsonNode said : golden.get("votes")) {
      String id = golden.get("items").get(said.get(0).intValue()).get("id").textValue();
      RatingItem item = items.get(id);
      ObjectNode vote = vote(item, said.get(1).textValue());
      vote.put("verdict", placed(item, said.get(2).textValue()));
      vote.put("shown_first", placed(item, said.get(3).textValue()));
      vote.put("seconds", said.get(4).doubleValue());
      exports
          .computeIfAbsent(vote.get("judge").textValue(), x -> new StringBuilder())
          .append(vote)
          .append('\n');
    }
    Path votes = Files.createDirectory(folder.resolve("votes"));
    for (var export : exports.entrySet()) {
      Files.writeString(votes.resolve("ratings-" + export.getKey() + ".jsonl"), export.getValue());
    }
    RateSummary summary =
        rate(
            RateOptions.builder()
                .run(run("figures"))
                .input(List.of("rating_items@page"))
                .collect(List.of(votes + "/*.jsonl")));

    Map<String, Number> found = summary.results();
    golden
        .get("results")
        .properties()
        .forEach(
            figure ->
                assertThat(found.get(figure.getKey()).doubleValue())
                    .as(figure.getKey())
                    .isCloseTo(figure.getValue().doubleValue(), within(1e-9)));
    // Of a thousand sets, an end is within 0.2 standard errors.
    var near = within(0.2 * golden.get("bootstrap_error").doubleValue());
    assertThat(found.get("win_rate_adjusted_low").doubleValue())
        .isCloseTo(golden.get("bootstrap").get(0).doubleValue(), near);
    assertThat(found.get("win_rate_adjusted_high").doubleValue())
        .isCloseTo(golden.get("bootstrap").get(1).doubleValue(), near);
    assertThat(summary.pairs()).hasSize(10);
    for (RaterPair pair : summary.pairs()) {
      assertThat(pair.items()).isEqualTo(60);
      assertThat(pair.cohenKappa())
          .isCloseTo(
              golden.get("cohen").get(pair.first() + " " + pair.second()).doubleValue(),
              within(1e-12));
    }
    assertThat(summary.raters())
        .extracting(Rater::name)
        .containsExactly("ann", "ben", "cat", "dan", "eve");
    for (Rater rater : summary.raters()) {
      assertThat(rater.votes()).isEqualTo(60);
      assertThat(rater.medianSeconds())
          .isCloseTo(golden.get("median_seconds").get(rater.name()).doubleValue(), within(1e-9));
      assertThat(rater.firstShare())
          .isCloseTo(golden.get("first_share").get(rater.name()).doubleValue(), within(1e-12));
    }
    assertThat(summary.models()).hasSize(4);
    for (RatedModel model : summary.models()) {
      assertThat(model.rating())
          .isCloseTo(golden.get("ratings").get(model.model()).doubleValue(), within(1e-6));
      assertThat(Objects.requireNonNull(model.low())).isLessThan(model.rating());
    }
    assertThat(table("judgements", "figures")).hasSize(300);
  }

  @Test
  void thePageTellsNothingOfModelsRowsAndSides() throws IOException {
    var a = new StringBuilder();
    var b = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      a.append(answer("row-" + i, "secretstudent", "left"));
      b.append(answer("row-" + i, "secretteacher", "right"));
    }
    rate(pairs("blind", a, b).numItems(30));
    String page = page("blind");
    String key = Files.readString(folder.resolve("warehouse/_keys/rate"));

    assertThat(page).doesNotContain("secretstudent", "secretteacher", "row-1", "mine", "CC0", key);
    List<RatingItem> items = new ArrayList<>(items("blind").values());
    assertThat(items).hasSize(30);
    assertThat(items.stream().filter(item -> item.placeOf("a").equals("1")).count())
        .as("sides are drawn")
        .isBetween(6L, 24L);
    assertThat(data(page).get("items")).hasSize(30);
    assertThat(Files.readString(folder.resolve("warehouse/_runs/blind.json"))).doesNotContain(key);

    // Other files, orders and partitions give the same page; another warehouse's key another one.
    spark.conf().set("spark.sql.shuffle.partitions", "7");
    try {
      rate(pairs("again", reversed(a), reversed(b)).numItems(30));
    } finally {
      spark.conf().unset("spark.sql.shuffle.partitions");
    }
    assertThat(page("again")).isEqualTo(page);
    Files.move(folder.resolve("warehouse"), folder.resolve("other"));
    rate(pairs("elsewhere", a, b).numItems(30));
    assertThat(page("elsewhere")).isNotEqualTo(page);
    assertThat(items("elsewhere").keySet())
        .as("the seed draws the rows")
        .isEqualTo(items.stream().map(RatingItem::rowId).collect(Collectors.toSet()));
  }

  private static String reversed(CharSequence lines) {
    List<String> all = new ArrayList<>(lines.toString().lines().toList());
    Collections.reverse(all);
    return String.join("\n", all) + "\n";
  }

  @Test
  void textThatWouldBreakThePageIsData() throws IOException {
    String hostile =
        "</script><script>alert(1)</script>\u2028\u202Eabc<img src=x onerror=alert(1)>";
    String large = "z".repeat(1 << 20);
    rate(pairs("hostile", answer("r", "m", hostile), answer("r", "n", large)));
    String page = page("hostile");

    assertThat(page.split("<script", -1)).hasSize(3);
    assertThat(page).doesNotContain("<img").doesNotContain("\u202E").doesNotContain("\u2028");
    List<String> shown = new ArrayList<>();
    data(page).get("items").get(0).get("answers").forEach(text -> shown.add(text.textValue()));
    assertThat(shown).containsExactlyInAnyOrder(hostile, large);
  }

  @Test
  void whatCannotBeComparedIsRejectedByARule() throws IOException {
    String a =
        answer("both", "m", "x")
            + answer("same", "m", "equal")
            + answer("left", "m", "x")
            + answer("twice", "m", "x")
            + answer("twice", "m", "y")
            + answer("calls", "m", "x").replace("\"text\"", "\"tool_calls\":\"[{}]\",\"text\"")
            + answer("none", "m", "x").replace("\"prompt\"", "\"other\"");
    String b =
        answer("both", "n", "y")
            + answer("same", "n", "equal")
            + answer("right", "n", "x")
            + answer("twice", "n", "x")
            + answer("calls", "n", "y")
            + answer("none", "n", "y").replace("\"prompt\"", "\"other\"");
    RateSummary summary = rate(pairs("rules", a, b));
    assertThat(summary.items()).isEqualTo(1);
    assertThat(summary.rejects())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "equal_answers", 1L,
                "only_in_input", 1L,
                "only_in_against", 1L,
                "several_answers", 1L,
                "calls_tools", 1L,
                "no_prompt", 1L));
    assertThatThrownBy(() -> rate(pairs("rules", a, b.replace("y", "z")).run(run("none"))))
        .hasMessageContaining("rules.html is there already");
    assertThat(rate(pairs("rules", a, b).run(run("same"))).page())
        .as("a page that an earlier try wrote is no hindrance")
        .contains(folder.resolve("rules.html").toString());
    try (var files = Files.list(folder)) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .noneMatch(name -> name.startsWith(".rules.html") && !name.endsWith(".crc"));
    }
    assertThatThrownBy(() -> rate(pairs("empty", answer("x", "m", "x"), answer("y", "m", "x"))))
        .hasMessageContaining("None of 2 ids can be rated with --form pairwise")
        .hasMessageContaining("only_in_against 1, only_in_input 1");
  }

  @Test
  void rowsOfAnIdThatAskOtherThingsAreCounted() throws IOException {
    String a = answer("same", "m", "x") + answer("other", "m", "x");
    String b =
        answer("same", "n", "y") + answer("other", "n", "y").replace("What of", "Whence comes");
    RateSummary summary = rate(pairs("p", a, b));
    assertThat(summary.items()).isEqualTo(2);
    assertThat(summary.results()).containsEntry("prompts_differ", 1L);
    assertThat(page("p")).contains("What of").doesNotContain("Whence");
  }

  @Test
  void linksAmongTheVotesAreNoVotes() throws IOException {
    rate(pairs("p", answer("r", "m", "x"), answer("r", "n", "y")));
    Path study = Files.createDirectory(folder.resolve("study"));
    Files.writeString(
        study.resolve("votes.jsonl"),
        vote(items("p").get("r"), "ann").put("verdict", "tie") + "\n");
    Files.writeString(study.resolve("old.links"), "ann\thttp://127.0.0.1:1/#token\n");
    Files.writeString(
        RaterTokens.beside(study.resolve("votes.jsonl")), "ann\thttp://127.0.0.1:1/#token\n");
    for (String files : List.of("study", "study/*", "study/.*", "study/old.links")) {
      var collecting =
          RateOptions.builder()
              .run(run("c" + files.hashCode()))
              .input(List.of("rating_items@p"))
              .collect(List.of(folder.resolve(files).toString()));
      if (files.equals("study") || files.equals("study/*")) {
        assertThat(rate(collecting).votes()).as(files).contains(1L);
      } else {
        assertThatThrownBy(() -> rate(collecting))
            .as(files)
            .hasMessageContaining("expected files of votes, found none in");
      }
    }
  }

  @Test
  void theLatestVoteCountsAndOthersAreNamed() throws IOException {
    rate(
        pairs(
            "p",
            answer("r", "m", "x") + answer("s", "m", "x"),
            answer("r", "n", "y") + answer("s", "n", "y")));
    RatingItem r = items("p").get("r");
    RatingItem s = items("p").get("s");
    ObjectNode early = vote(r, "ann").put("verdict", placed(r, "a"));
    ObjectNode late = early.deepCopy().put("verdict", placed(r, "b"));
    early.put("voted_at", "2026-01-01T00:00:00Z");
    late.put("voted_at", "2026-01-01T00:00:01Z");
    ObjectNode tie = vote(s, "ann").put("verdict", "tie");
    String lines =
        late
            + "\n"
            + early
            + "\n"
            + late
            + "\n\n"
            + tie
            + "\n"
            + tie.deepCopy().put("verdict", "1")
            + "\n"
            + vote(s, "ben").put("verdict", "both_bad")
            + "\n"
            + vote(s, "cat").put("verdict", "5")
            + "\n"
            + "{\"id\": \"i\n"
            + tie.deepCopy().put("id", "elsewhere")
            + "\n";
    RateSummary summary = collect("c", "p", lines);

    assertThat(summary.votes()).contains(9L);
    assertThat(summary.rejects())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("contradictory", 2L, "bad_verdict", 1L, "unreadable", 1L, "unknown_item", 1L));
    assertThat(table("judgements", "c"))
        .extracting(row -> row.getAs("judge") + " " + row.getAs("id") + " " + row.getAs("verdict"))
        .containsExactlyInAnyOrder("ann r b", "ben s both_bad");
    assertThat(table("duplicates", "c"))
        .extracting(row -> row.getAs("rule"))
        .containsExactlyInAnyOrder("equal_row", "voted_again");
    assertThat(table("rejects", "c"))
        .extracting(row -> row.<String>getAs("detail"))
        .allMatch(detail -> detail.contains("c.jsonl: "))
        .anyMatch(
            detail -> detail.contains("'verdict': expected 1, 2, tie or both_bad, found \"5\""));
    assertThatThrownBy(() -> collect("d", "c", lines)).hasMessageContaining("rating_items");
  }

  @Test
  void attentionIsTestedAndCountsInNoFigure() throws IOException {
    String tests =
        "{\"id\":\"t1\",\"prompt\":[{\"role\":\"user\",\"content\":\"2+2?\"}],\"chosen\":\"4\","
            + "\"rejected\":\"fish\",\"source\":\"mine\",\"license\":\"CC0-1.0\"}\n";
    rate(
        pairs("p", instructed("r", "m", "x"), instructed("r", "n", "y"))
            .attention(List.of(file("tests.jsonl", tests))));
    assertThat(data(page("p")).get("items")).hasSize(2);
    for (JsonNode item : data(page("p")).get("items")) {
      assertThat(item.get("parts")).as("no heading tells a test").hasSize(1);
      assertThat(item.get("parts").get(0).get("name").textValue()).isEqualTo("Prompt");
    }
    assertThat(page("p")).doesNotContain("expected");
    RatingItem test = items("p").get("t1");
    assertThat(test.answer(test.expected()).text()).isEqualTo("4");
    RatingItem real = items("p").get("r");
    String wrong = test.expected().equals("1") ? "2" : "1";
    RateSummary summary =
        collect(
            "c",
            "p",
            vote(test, "ann").put("verdict", test.expected())
                + "\n"
                + vote(test, "ben").put("verdict", wrong)
                + "\n"
                + vote(real, "ann").put("verdict", placed(real, "a"))
                + "\n");
    assertThat(summary.raters())
        .containsExactly(
            new Rater("ann", 1, 2.5, null, 1, 1.0), new Rater("ben", 0, 2.5, null, 1, 0.0));
    assertThat(summary.results()).containsEntry("wins", 1L).containsEntry("losses", 0L);
    assertThat(table("judgements", "c"))
        .extracting(row -> row.getAs("id") + " " + row.getAs("split"))
        .containsExactlyInAnyOrder("t1 attention", "t1 attention", "r null");
  }

  @Test
  void aRankingGivesComparisonsOfEachTwoAnswersInAGroup() throws IOException {
    var answers = new StringBuilder(answer("few", "m1", "only"));
    for (String model : List.of("m1", "m2", "m3", "m4")) {
      answers.append(answer("r", model, "by " + model));
    }
    RateSummary made = rate(making("p", file("all.jsonl", answers)).form(RateForm.RANKING));
    assertThat(made.rejects()).containsExactly(Map.entry("too_few_answers", 1L));
    RatingItem item = items("p").get("r");
    Map<String, String> place = new HashMap<>();
    for (int i = 1; i <= 4; i++) {
      place.put(item.answer("" + i).model(), "" + i);
    }
    ObjectNode vote = vote(item, "ann");
    var ranking = vote.putArray("ranking");
    ranking.addArray().add(place.get("m3"));
    ranking.addArray().add(place.get("m1")).add(place.get("m4"));
    ranking.addArray().add(place.get("m2"));
    RateSummary summary = collect("c", "p", vote + "\n");

    List<Row> preferences = table("preferences", "c");
    assertThat(preferences)
        .extracting(row -> row.getAs("chosen") + " > " + row.getAs("rejected"))
        .containsExactlyInAnyOrder(
            "by m3 > by m1", "by m3 > by m4", "by m3 > by m2", "by m1 > by m2", "by m4 > by m2");
    assertThat(preferences)
        .extracting(row -> row.<String>getAs("group_id"))
        .containsOnly(preferences.get(0).<String>getAs("group_id"));
    assertThat(table("judgements", "c"))
        .extracting(
            row -> row.getAs("model_a") + " " + row.getAs("model_b") + " " + row.getAs("verdict"))
        .containsExactlyInAnyOrder(
            "m1 m2 a", "m1 m3 b", "m1 m4 tie", "m2 m3 b", "m2 m4 b", "m3 m4 a");
    assertThat(summary.models()).extracting(RatedModel::model).startsWith("m3").endsWith("m2");
  }

  @Test
  void aTextOfSeveralAnswersIsPreferredWhereAllItsPlacesAgree() throws IOException {
    var answers = new StringBuilder();
    for (String model : List.of("m1", "m2", "m3")) {
      answers.append(answer("few", model, "text " + model));
    }
    answers.append(answer("few", "m4", "text m1"));
    Map<String, String> texts = Map.of("m1", "x", "m2", "x", "m3", "y", "m4", "z", "m5", "w");
    texts.forEach((model, text) -> answers.append(answer("r", model, text)));
    rate(making("p", file("all.jsonl", answers)).form(RateForm.RANKING));
    assertThat(table("rejects", "p"))
        .extracting(row -> row.<String>getAs("detail"))
        .containsExactly("3 different answers, fewer than 4");
    RatingItem item = items("p").get("r");
    ObjectNode vote = vote(item, "ann");
    var ranking = vote.putArray("ranking");
    for (String model : List.of("m1", "m3", "m2", "m4", "m5")) {
      for (int i = 1; i <= 5; i++) {
        if (model.equals(item.answer("" + i).model())) {
          ranking.addArray().add("" + i);
        }
      }
    }
    collect("c", "p", vote + "\n");

    assertThat(table("preferences", "c"))
        .extracting(row -> row.getAs("chosen") + " > " + row.getAs("rejected"))
        .containsExactlyInAnyOrder("x > z", "x > w", "y > z", "y > w", "z > w");
  }

  @Test
  void auditsAndLevelsAreLabelsAndScores() throws IOException {
    String rows =
        "{\"id\":\"r\",\"instruction\":\"Add.\",\"input\":\"1,"
            + " 2\",\"output\":\"3\",\"license\":\"CC0-1.0\"}\n"
            + "{\"id\":\"s\",\"instruction\":\"Sing.\",\"input\":\"\",\"output\":\"La.\",\"license\":\"CC0-1.0\"}\n";
    rate(making("audit", file("rows.jsonl", rows)).form(RateForm.AUDIT));
    assertThat(data(page("audit")).get("items").toString())
        .contains(
            "{\"name\":\"Instruction\",\"text\":\"Add.\"},{\"name\":\"Input\",\"text\":\"1, 2\"}");
    var votes = new StringBuilder();
    for (RatingItem item : items("audit").values()) {
      ObjectNode vote = vote(item, "ann");
      vote.putObject("label")
          .put("instruction_valid", "yes")
          .put("input_fitting", "yes")
          .put("output_right", item.rowId().equals("r") ? "yes" : "no");
      votes.append(vote).append('\n');
    }
    RateSummary summary = collect("audited", "audit", votes);
    assertThat(summary.results())
        .containsEntry("instruction_valid", 1.0)
        .containsEntry("output_right", 0.5)
        .containsEntry("all_right", 0.5);
    assertThat(table("judgements", "audited"))
        .extracting(row -> row.getJavaMap(row.fieldIndex("label")).get("output_right"))
        .containsExactlyInAnyOrder("yes", "no");

    rate(making("levels", file("rows.jsonl", rows)).form(RateForm.RATING));
    RatingItem item = items("levels").get("r");
    String lines = "";
    for (String level : List.of("a", "b", "d")) {
      ObjectNode vote = vote(item, "rater " + level);
      vote.putObject("label").put("level", level);
      lines += vote + "\n";
    }
    RateSummary rated = collect("rated", "levels", lines);
    assertThat(rated.results()).containsEntry("votes_b", 1L).containsEntry("votes_c", 0L);
    assertThat(rated.unrated()).contains(1L);
    assertThat(table("judgements", "rated"))
        .extracting(row -> row.<Double>getAs("score"))
        .containsExactlyInAnyOrder(4.0, 3.0, 1.0);
  }

  @Test
  void otherToolsImportTheSameItemsAsBlindly() throws IOException {
    String a = answer("r", "secretm", "say \"x\", <b>\nthen");
    String b = answer("r", "secretn", "y");
    Map<RateFormat, String> files = new TreeMap<>();
    for (RateFormat format :
        List.of(RateFormat.MTURK, RateFormat.LABEL_STUDIO, RateFormat.ARGILLA)) {
      rate(pairs("f" + format, a, b).format(format));
      files.put(format, page("f" + format));
    }
    RatingItem item = items("fMTURK").get("r");
    assertThat(files.values()).noneMatch(text -> text.contains("secret"));
    String x = item.placeOf("a");
    assertThat(files.get(RateFormat.MTURK))
        .startsWith("\"item\",\"prompt\",\"answer_1\",\"answer_2\"\r\n\"" + item.id() + "\",")
        .contains("\"say &quot;x&quot;, &lt;b&gt;\nthen\"");
    JsonNode task = JSON.readTree(files.get(RateFormat.LABEL_STUDIO)).get(0).get("data");
    assertThat(task.get("answer_" + x).textValue()).isEqualTo("say \"x\", <b>\nthen");
    JsonNode record = JSON.readTree(files.get(RateFormat.ARGILLA)).get(0);
    assertThat(record.get("id").textValue()).isEqualTo(item.id());
    assertThat(record.get("answer_" + x)).isEqualTo(task.get("answer_" + x));
  }

  @Test
  void demonstrationsAreInstructions() throws IOException {
    String rows =
        "{\"id\":\"r\",\"instruction\":\"Add.\",\"input\":\"1,"
            + " 2\",\"output\":\"4\",\"source\":\"mine\",\"license\":\"CC0-1.0\"}\n"
            + "{\"id\":\"s\",\"prompt\":\"Sing.\",\"source\":\"mine\",\"license\":\"CC0-1.0\"}\n";
    rate(making("p", file("rows.jsonl", rows)).form(RateForm.DEMONSTRATION));
    Map<String, RatingItem> items = items("p");
    assertThat(items).containsOnlyKeys("r", "s");
    RateSummary summary =
        collect(
            "c",
            "p",
            vote(items.get("r"), "ann").put("text", "3")
                + "\n"
                + vote(items.get("s"), "ann").put("text", "La.")
                + "\n"
                + vote(items.get("s"), "ben").put("text", "Lo.")
                + "\n");
    assertThat(summary.tables()).containsOnlyKeys("instructions");
    assertThat(table("instructions", "c"))
        .extracting(
            row ->
                row.getAs("task_id")
                    + "|"
                    + row.getAs("instruction")
                    + "|"
                    + row.getAs("input")
                    + "|"
                    + row.getAs("output")
                    + "|"
                    + row.getAs("origin")
                    + "|"
                    + row.getAs("license"))
        .containsExactlyInAnyOrder(
            "r|Add.|1, 2|3|human|CC0-1.0",
            "s|Sing.||La.|human|CC0-1.0",
            "s|Sing.||Lo.|human|CC0-1.0");
  }
}
