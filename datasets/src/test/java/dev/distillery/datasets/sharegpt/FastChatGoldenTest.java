package dev.distillery.datasets.sharegpt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.SourceSettings.ShareGpt;
import dev.distillery.datasets.Tagging;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** With FastChat's cleaning rules, what is kept is what FastChat's own code keeps. */
class FastChatGoldenTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A dialogue after cleaning: FastChat's code of why it is dropped or 0, and its turns. */
  private record Cleaned(int code, List<String> turns) {}

  @TestFactory
  List<DynamicTest> ourDialogues() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode golden : read("sharegpt-dialogues.json")) {
      List<String> turns = new ArrayList<>();
      golden.get("turns").forEach(turn -> turn.forEach(part -> turns.add(part.textValue())));
      ObjectNode sample = (ObjectNode) golden.get("sample");
      Cleaned expected = new Cleaned(golden.get("code").intValue(), turns);
      String name = sample.get("id").textValue();
      tests.add(DynamicTest.dynamicTest(name, () -> assertThat(clean(sample)).isEqualTo(expected)));
    }
    assertThat(tests).hasSizeGreaterThan(20);
    return tests;
  }

  @TestFactory
  List<DynamicTest> publicFiles() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (var file : read("sharegpt-files.json").properties()) {
      List<String> expected = new ArrayList<>();
      file.getValue().forEach(row -> expected.add(row.textValue()));
      tests.add(DynamicTest.dynamicTest(file.getKey(), () -> sameAs(file.getKey(), expected)));
    }
    return tests;
  }

  private static void sameAs(String name, List<String> expected) throws IOException {
    Path path = Path.of("../../shared/data/sharegpt", name);
    assumeTrue(Files.exists(path), () -> "SKIPPED, the file is not there: " + path);
    List<String> actual = new ArrayList<>();
    for (JsonNode sample : JSON.readTree(path.toFile())) {
      Cleaned cleaned = clean((ObjectNode) sample);
      actual.add(cleaned.code() + " " + hash(String.join("\0", cleaned.turns())));
    }
    assertThat(actual).isEqualTo(expected);
  }

  private static JsonNode read(String name) throws IOException {
    try (InputStream in = FastChatGoldenTest.class.getResourceAsStream("/golden/" + name)) {
      return JSON.readTree(in);
    }
  }

  private static Cleaned clean(ObjectNode sample) {
    // FastChat checks these in later scripts, or after cleaning.
    var rules = List.of("fastchat", "-list-numbering", "-plugins");
    SourceSettings defaults = SourceSettings.defaults();
    ShareGpt settings = new ShareGpt(rules, ShareGpt.Html.ALWAYS, List.of(), List.of(), 0, 4);
    ShareGptSource source = new ShareGptSource(Tagging.of("sharegpt", defaults), settings);
    try {
      RowResult result = source.parse(sample, new RowContext("", Optional.empty())).get(0);
      List<String> turns = new ArrayList<>();
      for (Object turn : (Row[]) ((RowResult.Kept) result).rows().get(0).get(1)) {
        String role = ((Row) turn).getString(0);
        turns.add(role.equals("user") ? "human" : "gpt");
        turns.add(((Row) turn).getString(1));
      }
      return new Cleaned(0, turns);
    } catch (RejectedRowException e) {
      int code =
          switch (e.rule()) {
            case "too_short" -> 1;
            case "wrong_roles" -> 2;
            case "blocked_words" -> 3;
            default -> throw new AssertionError(e.rule() + ": " + e.detail(), e);
          };
      return new Cleaned(code, List.of());
    }
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
