package dev.distillery.spark.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TableDocsTest {
  private static final Path PAGE = Path.of("../../docs/tables.md");

  /**
   * To write the page anew: mvn -pl common/spark -am test -Dtest=TableDocsTest
   * -Dtest.jvm.args=-Dupdate.docs=true.
   */
  @Test
  void thePageSaysWhatTheSchemasSay() throws IOException {
    if (Boolean.getBoolean("update.docs")) {
      Files.writeString(PAGE, TableDocs.markdown());
    }
    assertThat(Files.readString(PAGE)).isEqualTo(TableDocs.markdown());
  }

  @Test
  void everyColumnHasAComment() {
    for (Table table : Tables.all()) {
      assertThat(Arrays.stream(table.schema().fields()))
          .allMatch(field -> field.getComment().isDefined());
    }
  }
}
