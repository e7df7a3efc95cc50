package dev.distillery.datasets.documents;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.text.LanguageId;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.datasets.read.InputFiles;
import dev.distillery.spark.warehouse.DocumentRow;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;

/**
 * Texts: JSON rows with {@code text} (or {@code content}, or {@code completion} behind its {@code
 * prompt}), lines, or whole files.
 *
 * @param expected how the texts lie in the files
 */
public record DocumentsSource(Tagging tagging, InputFiles.Expected expected) implements Source {
  @Override
  public String name() {
    return "documents";
  }

  @Override
  public Table table() {
    return Tables.DOCUMENTS;
  }

  @Override
  public String unit() {
    return "documents";
  }

  @Override
  public Fields fields() {
    return Fields.read("text", "content", "completion", "url", "score", "prompt")
        .leaving("meta", "metadata", "title");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String text = text(row, context);
    if (text.isBlank()) {
      throw new RejectedRowException("empty_text", "The text is empty");
    }
    String id = StableIds.of(tagging.source(), text);
    DocumentRow document =
        new DocumentRow(
            id,
            text,
            JsonFields.said(row, "url"),
            JsonFields.number(row, "score"),
            LanguageId.detect(text),
            tagging.source(),
            tagging.license(),
            List.of());
    return List.of(RowResult.Kept.of(id, document.toRow()));
  }

  /** A completion goes on where its prompt ends; beside a text, a prompt is none of it. */
  private static String text(ObjectNode row, RowContext context) throws RejectedRowException {
    String text = JsonFields.requireText(row, "text", "content", "completion");
    boolean completes = !row.hasNonNull("text") && !row.hasNonNull("content");
    if (completes) {
      return JsonFields.value(row, "prompt").orElse("") + text;
    }
    JsonFields.tellBeside(row, text, context, "content", "completion", "prompt");
    return text;
  }
}
