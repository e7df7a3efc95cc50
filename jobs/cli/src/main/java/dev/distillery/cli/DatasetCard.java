package dev.distillery.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The card of a data set, in Markdown under a header of YAML as Hugging Face reads it: what a table
 * of a run holds, where its rows come from, under which terms, and how it was made. All of it is
 * taken from the run's record.
 */
final class DatasetCard {
  private final RunRecord record;
  private final String table;
  private final StringBuilder card = new StringBuilder();

  private DatasetCard(RunRecord record, String table) {
    this.record = record;
    this.table = table;
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
    JsonNode written = record.json().path("tables").path(table);
    Set<String> licenses = new TreeSet<>();
    record.json().path("licenses").path(table).fieldNames().forEachRemaining(licenses::add);
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
            Locale.ROOT,
            "%,d rows, %,d bytes of Parquet.",
            written.path("rows").asLong(),
            written.path("bytes").asLong()));
  }

  private void columns() {
    line("\n## Columns\n");
    line("| column | type | |");
    line("|---|---|---|");
    String schema = record.json().path("tables").path(table).path("schema").asText();
    for (StructField field : StructType.fromDDL(schema).fields()) {
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
    for (JsonNode origin : record.json().path("origins")) {
      if (!origin.path("table").asText().equals(table)) {
        continue;
      }
      String url = origin.path("url").asText();
      String source = cell(origin.path("source").asText());
      line(
          "| "
              + (url.isEmpty() ? source : "[" + source + "](" + url + ")")
              + " | "
              + cell(origin.path("license").asText())
              + String.format(Locale.ROOT, " | %,d | ", origin.path("rows").asLong())
              + cell(origin.path("commercial_use").asText("not known"))
              + " | "
              + named(origin.path("attribution").asText())
              + " | "
              + cell(terms(origin))
              + " |");
    }
  }

  private static String terms(JsonNode origin) {
    String provider = origin.path("provider_terms").asText();
    String terms = origin.path("terms").asText();
    return provider.isEmpty() ? terms : terms + ". " + provider;
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
            + record.json().path("versions").path("distillery").asText()
            + ", finished "
            + record.finishedAt()
            + ", with:\n");
    record
        .decisiveOptions()
        .forEach((name, value) -> line("- " + name + ": `" + value.replace("`", "'") + "`"));
    record.json().path("inputs").forEach(input -> line("- read: " + input.path("ref").asText()));
    line("\nFigures: `" + record.summary().path("figures") + "`");
    line("\nRejected rows, by rule: `" + record.summary().path("rejects") + "`");
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
