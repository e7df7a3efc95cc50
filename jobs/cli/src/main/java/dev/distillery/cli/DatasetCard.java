package dev.distillery.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * The card of a data set, in Markdown under a header of YAML as Hugging Face reads it: what a table
 * of a run holds, where its rows come from, under which terms, and how it was made. All of it is
 * taken from the run's record.
 */
final class DatasetCard {
  private final RunRecord record;
  private final String table;
  private final RunRecord.WrittenTable written;
  private final StringBuilder card = new StringBuilder();

  private DatasetCard(RunRecord record, String table) {
    this.record = record;
    this.table = table;
    this.written = Objects.requireNonNull(record.tables().get(table));
  }

  /** The card of a table that the run wrote. */
  static String of(RunRecord record, String table) {
    DatasetCard card = new DatasetCard(record, table);
    card.header();
    card.columns();
    card.origins();
    card.making();
    return card.card.toString();
  }

  private void line(String text) {
    card.append(text).append('\n');
  }

  private void header() {
    Set<String> licenses = record.licenses().getOrDefault(table, Map.of()).keySet();
    line("---");
    line("pretty_name: " + table);
    // The header takes one known license, or the word other.
    boolean one = licenses.size() == 1 && !licenses.iterator().next().matches("NOASSERTION|.* .*");
    line("license: " + (one ? licenses.iterator().next().toLowerCase(Locale.ROOT) : "other"));
    line("---");
    line("# " + table + ", run " + record.runId());
    line("");
    Tables.byName(table).map(Table::description).ifPresent(text -> line(text + "\n"));
    line(
        String.format(
            Locale.ROOT, "%,d rows, %,d bytes of Parquet.", written.rows(), written.bytes()));
    if (!record.done()) {
      line("");
      line("The run is not done (" + record.status() + "): these are the rows that it had.");
    }
  }

  private void columns() {
    line("\n## Columns\n");
    line("| column | type | |");
    line("|---|---|---|");
    for (StructField field : StructType.fromDDL(written.schema()).fields()) {
      line(
          "| `"
              + field.name()
              + "` | "
              + cell(shape(field))
              + " | "
              + cell(field.getComment().getOrElse(() -> ""))
              + " |");
    }
  }

  /** A type without the comments of its parts. */
  private static String shape(StructField field) {
    return field.dataType().catalogString();
  }

  private void origins() {
    line("\n## Sources and licenses\n");
    line("What the publishers say; this is no legal advice.\n");
    line("| source | license | rows | commercial use | to be named | terms |");
    line("|---|---|---|---|---|---|");
    for (RunRecord.Origin origin : record.origins()) {
      if (!origin.table().equals(table)) {
        continue;
      }
      String source = cell(origin.source());
      line(
          "| "
              + (known(origin.url()).isEmpty() ? source : "[" + source + "](" + origin.url() + ")")
              + " | "
              + cell(origin.license())
              + String.format(Locale.ROOT, " | %,d | ", origin.rows())
              + cell(Objects.requireNonNullElse(origin.commercialUse(), "not known"))
              + " | "
              + named(known(origin.attribution()))
              + " | "
              + cell(terms(origin))
              + " |");
    }
  }

  private static String terms(RunRecord.Origin origin) {
    String provider = known(origin.providerTerms());
    String terms = known(origin.terms());
    return provider.isEmpty() ? terms : terms + ". " + provider;
  }

  private static String known(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static String named(String attribution) {
    return switch (attribution) {
      case "each_author" -> "the author of each row, with its link (column `attribution`)";
      case "source" -> "the source";
      case "none" -> "nobody";
      default -> "not known";
    };
  }

  private void making() {
    line("\n## How it was made\n");
    line(
        "By the job `"
            + record.job()
            + "` of Distillery "
            + record.versions().getOrDefault("distillery", "")
            + ", finished "
            + record.finishedAt()
            + ", with:\n");
    record
        .decisiveOptions()
        .forEach((name, value) -> line("- " + name + ": `" + value.replace("`", "'") + "`"));
    record.inputs().forEach(input -> line("- read: " + input.path("ref").asText()));
    line("\nFigures: `" + record.summary().path("figures") + "`");
    JsonNode unread = record.summary().path("unread_fields");
    if (!unread.isEmpty()) {
      line("\nFields that no reader knows, with the rows that had them, are not in here:\n");
      unread.forEach(field -> line("- `" + field.asText().replace("`", "'") + "`"));
    }
    line("\nRejected rows, by rule: `" + record.summary().path("rejects") + "`");
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
