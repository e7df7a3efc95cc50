package dev.distillery.jobs.serve;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.testing.ChildProcess;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatVoteLogTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> MODELS = List.of("base", "koala");

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("votes.jsonl");
  }

  private static ObjectNode thumb(String answer, Integer score) {
    ObjectNode vote = JSON.createObjectNode().put("judge", "ann").put("model_a", "base");
    vote.putArray("prompt").addObject().put("role", "user").put("content", "Name a \"river\".\n");
    return vote.put("answer_a", answer).put("criterion", "thumb").put("score", score);
  }

  private static ObjectNode pair(String verdict) {
    ObjectNode vote = thumb("Elbe", 1).put("model_b", "koala").put("answer_b", "Oder");
    vote.remove(List.of("criterion", "score"));
    return vote.put("verdict", verdict).put("shown_first", "a");
  }

  private static ChatVote vote(ObjectNode body) {
    try {
      return ChatVote.read(body.toString().getBytes(UTF_8), MODELS);
    } catch (ApiException e) {
      throw new AssertionError(e.message(), e);
    }
  }

  private void keep(ObjectNode... bodies) throws IOException {
    try (ChatVoteLog log = ChatVoteLog.open(file.toString())) {
      for (ObjectNode body : bodies) {
        log.keep(vote(body));
      }
    }
  }

  /** As a job reads the table. */
  private List<Row> rows() {
    SparkSession spark = LocalSpark.session();
    Warehouse warehouse =
        Warehouse.at(
            folder.resolve("warehouse").toString(), spark.sparkContext().hadoopConfiguration());
    return new TableReader(spark, warehouse, note -> {})
        .read(TableRef.parse(file.toString()), Tables.JUDGEMENTS)
        .collectAsList();
  }

  @Test
  void votesAreRowsOfTheTable() throws IOException {
    keep(thumb("Elbe", 1), thumb("漢字 😀\u2028", 0), pair("both_bad"));
    List<Row> rows = rows();
    assertThat(rows)
        .extracting(row -> row.getAs("answer_a"), row -> row.getAs("score"))
        .containsExactly(tuple("Elbe", 1.0), tuple("漢字 😀\u2028", 0.0), tuple("Elbe", null));
    assertThat(rows)
        .extracting(row -> row.<String>getAs("criterion"))
        .containsExactly("thumb", "thumb", null);
    Row compared = rows.get(2);
    assertThat(compared.<String>getAs("verdict")).isEqualTo("both_bad");
    assertThat(compared.<String>getAs("shown_first")).isEqualTo("a");
    assertThat(compared.<String>getAs("model_b")).isEqualTo("koala");
    assertThat(compared.<String>getAs("prompt"))
        .isEqualTo("[{\"role\":\"user\",\"content\":\"Name a \\\"river\\\".\\n\"}]");
    assertThat(rows).extracting(row -> row.<String>getAs("judge")).containsOnly("ann");
    assertThat(rows.get(0).schema().fieldNames())
        .as("no column but the table's")
        .containsExactly(Tables.JUDGEMENTS.schema().fieldNames());
  }

  @Test
  void theLatestVoteCountsAlsoOverARestart() throws IOException {
    keep(thumb("Elbe", 1), pair("a"), pair("b"));
    keep(thumb("Elbe", 0), pair("tie"), thumb("Elbe", 0).put("judge", "ben"), thumb("Oder", 1));
    keep(thumb("Oder", null), thumb("Rhine", null));
    assertThat(rows())
        .extracting(row -> row.getAs("judge") + " " + row.getAs("score") + row.getAs("verdict"))
        .containsExactly("ann 0.0null", "ann nulltie", "ben 0.0null");
  }

  /** The process dies after any byte of a vote that replaces another. */
  @Test
  void whatADeathCutsOffIsGoneOrWholeAndTheRestReadable() throws IOException {
    keep(thumb("Oder", 1), thumb("Elbe", 1));
    byte[] before = Files.readAllBytes(file);
    keep(thumb("Elbe", 0));
    byte[] after = Files.readAllBytes(file);
    int oder = new String(before, UTF_8).indexOf('\n') + 1;
    for (int cut = before.length; cut < after.length - 1; cut += 7) {
      // The new line comes first.
      byte[] cutOff = Arrays.copyOf(after, cut);
      System.arraycopy(before, 0, cutOff, 0, before.length);
      died(cutOff, "1.0");
    }
    byte[] unmarked = after.clone();
    System.arraycopy(before, 0, unmarked, 0, before.length);
    died(unmarked, "0.0");
    died(Arrays.copyOf(unmarked, unmarked.length - 1), "0.0");
    for (int blanked = oder; blanked < before.length - 1; blanked += 7) {
      // Then the old one goes.
      byte[] torn = unmarked.clone();
      Arrays.fill(torn, oder, blanked, (byte) ' ');
      died(torn, "0.0");
    }
  }

  private void died(byte[] left, String score) throws IOException {
    Files.write(file, left);
    keep(thumb("Rhine", 1));
    var said = new ArrayList<String>();
    for (String line : Files.readAllLines(file)) {
      if (!line.isBlank()) {
        var row = JSON.readTree(line);
        said.add(row.get("answer_a").textValue() + " " + row.get("score"));
      }
    }
    assertThat(said).containsExactly("Oder 1.0", "Elbe " + score, "Rhine 1.0");
  }

  @Test
  void aFileOfOthersStaysAsItIs() throws IOException {
    for (String other :
        List.of("{\"id\": 1}\n", "text", "{\"id\":\"x\",\"text\":\"" + "y".repeat(50))) {
      Files.writeString(file, other);
      assertThatThrownBy(() -> ChatVoteLog.open(file.toString()))
          .hasMessageContaining("votes.jsonl, line 1 is no vote of a page; name another file");
      assertThat(file).hasContent(other);
    }
    assertThatThrownBy(() -> ChatVoteLog.open(folder.toString()))
        .hasMessageContaining("Option --judgements:")
        .hasMessageContaining("name a file that can be read and written");
  }

  @Test
  void oneProcessHasTheFile() throws IOException {
    keep(thumb("Elbe", 1));
    try (ChatVoteLog log = ChatVoteLog.open(file.toString());
        ChildProcess other =
            ChildProcess.java(
                OtherProcess.class, List.of(file.toString()), folder.resolve("other.err"))) {
      assertThat(log).isNotNull();
      assertThat(other.await("refused:")).contains("another process writes " + file);
      assertThatThrownBy(() -> ChatVoteLog.open(file.toString()))
          .hasMessageContaining("another process writes " + file);
    }
  }

  /** A server beside another one. */
  static final class OtherProcess {
    private OtherProcess() {}

    public static void main(String[] args) {
      try {
        ChatVoteLog.open(args[0]).close();
      } catch (JobException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "score | 2 | expected 1 or 0",
        "score | true | expected 1 or 0",
        "criterion | null | expected a text",
        "criterion | \"style\" | expected one of thumb, found 'style'",
        "model_a | \"gpt-4\" | expected one of base, koala, found 'gpt-4'",
        "answer_a | \"\\ud800\" | it holds NUL or half of a surrogate pair",
        "answer_a | \"\\u0000\" | it holds NUL or half of a surrogate pair",
        "answer_a | null | expected a text",
        "judge | \" \" | expected a name of 1 to 100 characters",
        "judge | \"a\\nb\" | expected a name of 1 to 100 characters",
        "prompt | [] | expected a list of messages",
        "prompt | [{\"role\": \"user\", \"content\": \"\\udc00\"}] | it holds NUL or half",
        "verdict | \"a\" | of one answer nothing is said by it",
        "model_b | \"koala\" | of one answer nothing is said by it",
        "reason | \"x\" | not known here",
      })
  void whatIsNoVoteIsRefusedByName(String member, String value, String says) {
    ObjectNode vote = thumb("Elbe", 1);
    vote.remove(member);
    // Halves of characters stay escapes.
    String body = "{\"%s\": %s, %s".formatted(member, value, vote.toString().substring(1));
    assertThatThrownBy(() -> ChatVote.read(body.getBytes(UTF_8), MODELS))
        .isInstanceOf(ApiException.class)
        .hasMessageContaining("Parameter " + member + ": " + says);
  }

  @Test
  void twoAnswersWantAVerdict() {
    for (String verdict : List.of("c", "A")) {
      assertThatThrownBy(() -> ChatVote.read(pair(verdict).toString().getBytes(UTF_8), MODELS))
          .hasMessageContaining("Parameter verdict: expected one of a, b, both_bad, tie");
    }
    ObjectNode without = pair("a");
    without.remove("verdict");
    assertThatThrownBy(() -> ChatVote.read(without.toString().getBytes(UTF_8), MODELS))
        .hasMessageContaining("Parameter verdict: expected it, or null");
    assertThatThrownBy(
            () -> ChatVote.read(pair("a").put("score", 1).toString().getBytes(UTF_8), MODELS))
        .hasMessageContaining("Parameter score: of two answers nothing is said by it");
  }
}
