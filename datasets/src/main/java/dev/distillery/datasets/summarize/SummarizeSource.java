package dev.distillery.datasets.summarize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Two summaries of a post or of a news article and which was chosen. The prompt is the text under
 * its headings and ends in {@code TL;DR:}, the form that the reward models of the paper saw.
 */
public record SummarizeSource(Tagging tagging) implements Source {
  private static final Set<String> INFO = Set.of("post", "article", "title", "subreddit", "site");
  private static final Set<String> SUMMARY = Set.of("text", "policy", "note");

  @Override
  public String name() {
    return "summarize-from-feedback";
  }

  @Override
  public Table table() {
    return Tables.PREFERENCES;
  }

  @Override
  public String unit() {
    return "comparisons";
  }

  @Override
  public Fields fields() {
    return Fields.read("info", "summaries", "choice", "split").leaving("worker", "batch", "extra");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    JsonNode summaries = JsonFields.requireArray(row, "summaries");
    OptionalDouble choice = JsonFields.number(row, "choice");
    boolean known = choice.isPresent() && (choice.getAsDouble() == 0 || choice.getAsDouble() == 1);
    if (summaries.size() != 2 || !known) {
      throw JsonFields.missing(row, "two summaries and a choice of 0 or 1");
    }
    int better = (int) choice.getAsDouble();
    JsonFields.tellUnread(row.path("info"), "info.", context, INFO);
    for (JsonNode summary : summaries) {
      JsonFields.tellUnread(summary, "summaries[].", context, SUMMARY);
    }
    return List.of(
        tagging.keep(
            Tagging.Comparison.of(
                List.of(new Message(Roles.USER, prompt(row.path("info")))),
                JsonFields.requireText(summaries.get(better), "text").strip(),
                JsonFields.requireText(summaries.get(1 - better), "text").strip(),
                context.split())));
  }

  /** A row of an article has no post, and the other way round. */
  private static String prompt(JsonNode info) throws RejectedRowException {
    Optional<String> post = JsonFields.text(info, "post");
    String body = JsonFields.requireText(info, "post", "article");
    StringBuilder prompt = new StringBuilder();
    JsonFields.text(info, "subreddit")
        .ifPresent(name -> prompt.append("SUBREDDIT: r/").append(name).append("\n\n"));
    JsonFields.text(info, "title")
        .ifPresent(title -> prompt.append("TITLE: ").append(title).append("\n\n"));
    if (post.isPresent()) {
      return prompt
          .append("POST: ")
          .append(body.replace("\n\n", "\n"))
          .append("\n\nTL;DR:")
          .toString();
    }
    return prompt.append(body).append("\n\nTL;DR:").toString();
  }
}
