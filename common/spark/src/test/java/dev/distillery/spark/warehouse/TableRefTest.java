package dev.distillery.spark.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableRefTest {
  @Test
  void namesATableOfTheNewestRunOrOfOne() {
    assertThat(TableRef.parse("instructions"))
        .isEqualTo(new TableRef.Named("instructions", Optional.empty()));
    assertThat(TableRef.parse("instructions@r1.2-x"))
        .isEqualTo(new TableRef.Named("instructions", Optional.of("r1.2-x")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a/b", "*.parquet", "s3a://b/c", "rows.jsonl", "rows.json.gz", "C:rows"})
  void takesForAPathWhatLooksLikeOne(String text) {
    assertThat(TableRef.parse(text)).isEqualTo(new TableRef.Files(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "@r1", "a b", "instructions@", "instructions@1", "9rows"})
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> TableRef.parse(text))
        .hasMessageContaining("Not a reference to a table: '" + text + "'");
  }
}
