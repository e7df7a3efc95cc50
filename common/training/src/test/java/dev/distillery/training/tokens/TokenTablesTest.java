package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link TokenTables}, {@link TokenTable} and what lies between them. */
class TokenTablesTest {
  private static final int DOCUMENTS = 1200;

  @TempDir Path folder;
  private final SparkSession spark = LocalSpark.session();
  private final List<String> notes = new ArrayList<>();
  private Path input;
  private Path tokenizer;

  @BeforeEach
  void writeInput() throws IOException {
    input = folder.resolve("documents.jsonl");
    var lines = new ArrayList<String>();
    for (int i = 0; i < DOCUMENTS; i++) {
      String text = "the fox in the water ".repeat(1 + i % 7) + i;
      lines.add("{\"text\": \"%s\"}".formatted(i % 100 == 7 ? "" : text));
    }
    Files.write(input, lines);
    tokenizer = Files.createDirectory(folder.resolve("tokenizer"));
    Files.copy(TokenGoldens.FOLDER.resolve("tokenizer.json"), tokenizer.resolve("tokenizer.json"));
  }

  @ParameterizedTest
  @EnumSource(Packing.class)
  void theTableIsTheSameOnAnyNumberOfPartitions(Packing packing) throws IOException {
    List<List<String>> tables = new ArrayList<>();
    for (int partitions : packing == Packing.ISOLATED ? new int[] {1, 7, 64} : new int[] {1, 5}) {
      // Rows in memory, so that their order is by id and owes nothing to files.
      Dataset<Row> rows =
          spark
              .createDataFrame(documents().collectAsList(), documents().schema())
              .repartition(partitions);
      var built = tables("w" + partitions, packing).build("input", rows, Tables.DOCUMENTS, "test");

      assertThat(built.counts().rowsRead()).isEqualTo(DOCUMENTS);
      assertThat(built.counts().rejects()).containsExactly(java.util.Map.entry("empty", 12L));
      tables.add(contents(built.table()));
      built.table().close();
    }
    assertThat(tables.get(0)).isNotEmpty();
    assertThat(tables).allSatisfy(table -> assertThat(table).isEqualTo(tables.get(0)));
  }

  @Test
  void rowsOfAFileStandInItsOrderInHoweverManyPiecesItIsRead() throws IOException {
    String key = "spark.sql.files.maxPartitionBytes";
    spark.conf().set(key, "8192");
    try {
      assertThat(documents().rdd().getNumPartitions()).isGreaterThan(4);
      var built = tables("w", Packing.NONE).build("input", documents(), Tables.DOCUMENTS, "test");
      var encoder = RowEncoder.ofDocuments(TokenGoldens.tokenizer(), settings(Packing.NONE));

      long row = 0;
      for (int i = 0; i < DOCUMENTS; i++) {
        if (i % 100 != 7) {
          String text = "the fox in the water ".repeat(1 + i % 7) + i;
          for (TokenSequence sequence : encoder.document(text, 1).sequences()) {
            assertThat(built.table().row(row++).ids()).isEqualTo(sequence.ids());
          }
        }
      }
      assertThat(built.table().size()).isEqualTo(row);
    } finally {
      spark.conf().unset(key);
    }
  }

  @Test
  void aTableIsBuiltOnceAndAgainWhenItsTokenizerHasChanged() throws IOException {
    var first = tables("w", Packing.ISOLATED).build("input", documents(), Tables.DOCUMENTS, "a");
    var again = tables("w", Packing.ISOLATED).build("input", documents(), Tables.DOCUMENTS, "b");

    assertThat(first.reused()).isFalse();
    assertThat(again.reused()).isTrue();
    assertThat(again.counts()).isEqualTo(first.counts());
    assertThat(again.rejects().orElseThrow().count()).isEqualTo(12);
    assertThat(contents(again.table())).isEqualTo(contents(first.table()));

    Files.writeString(tokenizer.resolve("chat_template.jinja"), "another");
    var changed = tables("w", Packing.ISOLATED).build("input", documents(), Tables.DOCUMENTS, "a");
    assertThat(changed.reused()).isFalse();
    assertThat(changed.key()).isNotEqualTo(first.key());
  }

  @Test
  void aPlanSaysWhatIsBuilt() {
    TokenTables tables = tables("w", Packing.ISOLATED);

    var plan = tables.plan("input", documents(), Tables.DOCUMENTS, 2);

    assertThat(folder.resolve("w")).doesNotExist();
    var built = tables.build("input", documents(), Tables.DOCUMENTS, "test");
    assertThat(plan.rows()).isEqualTo(built.table().size());
    assertThat(plan.tokens()).isEqualTo(built.table().tokens());
    assertThat(plan.learned()).isEqualTo(built.table().learned());
    assertThat(plan.longest()).isEqualTo(built.table().longest());
    assertThat(plan.counts()).isEqualTo(built.counts());
    assertThat(plan.shown()).hasSize(2);
    assertThat(plan.shown().get(1).ids()).isEqualTo(built.table().row(1).ids());
    assertThat(built.counts().tokensRead()).isEqualTo(built.table().tokens());
  }

  @Test
  void aShortenedTableIsBuiltAgainAndADamagedRowIsRefusedByName() throws IOException {
    var built = tables("w", Packing.NONE).build("input", documents(), Tables.DOCUMENTS, "test");
    List<String> before = contents(built.table());
    built.table().close();
    Path part = parts().get(0);
    byte[] bytes = Files.readAllBytes(part);

    Files.write(part, java.util.Arrays.copyOf(bytes, bytes.length - 9));
    var again = tables("w", Packing.NONE).build("input", documents(), Tables.DOCUMENTS, "test");
    assertThat(again.reused()).isFalse();
    assertThat(notes).anyMatch(note -> note.contains("damaged") && note.contains("should have"));
    assertThat(contents(again.table())).isEqualTo(before);

    Path other = parts().get(0);
    try (var channel = Files.newByteChannel(other, StandardOpenOption.WRITE)) {
      channel.position(12).write(java.nio.ByteBuffer.wrap(new byte[] {99, 99}));
    }
    assertThatThrownBy(() -> again.table().row(0))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(other.getFileName().toString())
        .hasMessageContaining("checksum")
        .hasMessageContaining("delete the folder");
    assertThat(again.table().row(1).ids()).isNotEmpty();
  }

  @Test
  void nothingToLearnIsRefusedBeforeAnythingIsWritten() throws IOException {
    Files.writeString(input, "{\"text\": \"\"}\n");
    assertThatThrownBy(
            () -> tables("w", Packing.NONE).build("x", documents(), Tables.DOCUMENTS, "test"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("nothing is left to learn of its 1 rows")
        .hasMessageContaining("empty=1");
    Files.writeString(input, "{\"text\": \"short\"}\n");
    assertThatThrownBy(
            () ->
                tables("w", Packing.CONSTANT_LENGTH)
                    .build("x", documents(), Tables.DOCUMENTS, "test"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("do not fill one row of --max-length 64");
    assertThat(parts()).isEmpty();
  }

  /** What a row's figures are in the tests: its length, and its last id. */
  private record LengthAndEnd(String key) implements RowFigures {
    private static final long serialVersionUID = 1L;

    @Override
    public String name() {
      return "Lengths";
    }

    @Override
    public Work open() {
      return new Work() {
        @Override
        public float[] figures(TokenSequence row) {
          return new float[] {row.ids().length, row.ids()[row.ids().length - 1]};
        }

        @Override
        public void close() {}
      };
    }
  }

  @Test
  void figuresAreTheSameOnAnyNumberOfPartitionsAndComputedOnce() throws IOException {
    var plain = tables("w", Packing.NONE).build("input", documents(), Tables.DOCUMENTS, "test");
    var figured = figured().of("input", plain, new LengthAndEnd("a"));

    assertThat(contents(figured.table())).isEqualTo(contents(plain.table()));
    assertThat(parts()).as("several tasks").hasSizeGreaterThan(3);
    for (long i = 0; i < figured.table().size(); i++) {
      int[] ids = plain.table().row(i).ids();
      assertThat(figured.table().row(i).figures()).containsExactly(ids.length, ids[ids.length - 1]);
    }
    assertThat(figured.counts()).isEqualTo(plain.counts());
    assertThat(figured.rejects().orElseThrow().count()).isEqualTo(12);
    assertThat(figured.reused()).isFalse();
    assertThat(figured().of("input", plain, new LengthAndEnd("a")).reused()).isTrue();
    assertThat(figured().of("input", plain, new LengthAndEnd("b")).key())
        .as("other figures")
        .isNotEqualTo(figured.key());

    Path part =
        parts().stream().filter(file -> file.toString().contains(figured.key())).findFirst().get();
    Files.write(part, java.util.Arrays.copyOf(Files.readAllBytes(part), 30));
    assertThat(figured().of("input", plain, new LengthAndEnd("a")).reused())
        .as("a damaged table")
        .isFalse();
    assertThat(notes).anyMatch(note -> note.contains("damaged"));
  }

  private FiguredTables figured() {
    return new FiguredTables(
        spark.sparkContext(),
        warehouse("w"),
        new Progress("test", update -> notes.add(update.line())));
  }

  private Dataset<Row> documents() {
    return new TableReader(spark, warehouse("reading"), note -> {})
        .read(TableRef.parse(input.toString()), Tables.DOCUMENTS);
  }

  private Warehouse warehouse(String name) {
    return Warehouse.at(
        folder.resolve(name).toString(), spark.sparkContext().hadoopConfiguration());
  }

  private TokenTables tables(String warehouse, Packing packing) {
    return new TokenTables(
        spark, warehouse(warehouse), notes::add, tokenizer.toString(), settings(packing));
  }

  private static TokenSettings settings(Packing packing) {
    return new TokenSettings(
        "", TrainOn.ALL_TURNS, OverLength.SPLIT, 64, packing, TokenGoldens.END);
  }

  private List<Path> parts() throws IOException {
    if (!Files.exists(folder.resolve("w"))) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(folder.resolve("w"))) {
      return all.filter(path -> path.toString().endsWith(".tokens")).sorted().toList();
    }
  }

  private static List<String> contents(TokenTable table) {
    var rows = new ArrayList<String>();
    for (long i = 0; i < table.size(); i++) {
      TokenSequence row = table.row(i);
      rows.add(
          java.util.Arrays.toString(row.ids())
              + java.util.Arrays.toString(row.weights())
              + java.util.Arrays.toString(row.starts()));
    }
    return rows;
  }
}
