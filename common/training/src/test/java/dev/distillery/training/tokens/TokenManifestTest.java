package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link TokenManifest} and {@link TokenStore}, of manifests that say what is not so. */
class TokenManifestTest {
  private static FuzzedFolder table() throws IOException {
    return TokenTableFuzz.folder(
        Files.readAllBytes(Path.of("src/test/fuzz/TokenTableFuzz/two.bin")));
  }

  private static void replace(FuzzedFolder table, String from, String to) throws IOException {
    Path manifest = table.path().resolve("_tokens/k/manifest.json");
    String text = Files.readString(manifest);
    assertThat(text).contains(from);
    Files.writeString(manifest, text.replace(from, to));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "parts": [         | "parts": 5, "others": [  | its field parts is NUMBER and must be ARRAY
          "parts": [         | "others": [              | its field parts is MISSING
          "folder": "a"      | "folder": ""             | its field folder is '' and must be a name
          "folder": "a"      | "folder": "../k/a"       | its field folder is '../k/a'
          "folder": "a"      | "colour": "a"            | its field folder is MISSING
          "part-0.tokens"    | ""                       | its field file is '' and must be a name
          "part-0.tokens"    | "a:b"                    | its field file is 'a:b'
          "rows": 2          | "rows": 9223372036854775807  | its field rows is 9223372036854775807
          "rows": 2          | "rows": 18446744073709551618 | its field rows is 18446744073709551618
          "longest": 3       | "longest": 4294967299    | its field longest is 4294967299
          "empty": 1         | "empty": "one"           | its field empty is "one" and must be a count
          """)
  void aManifestThatSaysWhatIsNotSoIsDamage(String from, String to, String says)
      throws IOException {
    try (FuzzedFolder table = table()) {
      replace(table, from, to);
      List<String> notes = new ArrayList<>();
      var store =
          new TokenStore(Warehouse.at(table.path().toString(), new Configuration()), notes::add);
      assertThat(store.find("k")).isEmpty();
      assertThat(notes).singleElement().asString().contains("is damaged").contains(says);
    }
  }

  @Test
  void aPartThatIsTooShortForItsRowsIsRefusedByName() throws IOException {
    try (FuzzedFolder table = table()) {
      String length = "\"bytes\": " + Files.size(table.path().resolve("_tokens/k/a/part-0.tokens"));
      Files.write(table.path().resolve("_tokens/k/a/part-0.tokens"), new byte[3]);
      replace(table, length, "\"bytes\": 3");
      var store =
          new TokenStore(Warehouse.at(table.path().toString(), new Configuration()), n -> {});
      try (TokenTable rows = store.open(store.find("k").orElseThrow())) {
        assertThatThrownBy(() -> rows.row(0))
            .isInstanceOf(JobException.class)
            .hasMessageContaining("part-0.tokens: it is no whole part of 2 rows");
      }
    }
  }
}
