package dev.distillery.jobs.rate;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/**
 * A line of {@code rate --collect}: refused by a rule, or a vote that is the same once it was
 * written and read again; of an item that takes it, every row of it can be made.
 */
public final class VoteFuzz {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<RatingItem> ITEMS =
      Stream.of(RateForm.values()).map(VoteFuzz::item).toList();

  private VoteFuzz() {}

  private static RatingItem item(RateForm form) {
    List<RatingItem.Answer> answers = new ArrayList<>();
    for (int i = 0; i < form.fewest(); i++) {
      answers.add(new RatingItem.Answer("text " + i, "model", i == 0 ? RatingItem.A : "b"));
    }
    return new RatingItem("i1", "row", form, "?", null, null, answers, null, "s", "CC0-1.0");
  }

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    Vote vote;
    try {
      vote = Vote.read(new String(data, StandardCharsets.UTF_8));
    } catch (Vote.RefusedException e) {
      check(e);
      return;
    }
    for (RatingItem item : ITEMS) {
      try {
        vote.check(item);
      } catch (Vote.RefusedException e) {
        check(e);
        continue;
      }
      written(vote);
      List<Row> rows = Judgements.of(item, vote);
      int answers = item.answers().size();
      int wanted =
          switch (item.form()) {
            case PAIRWISE, AUDIT, RATING -> 1;
            case RANKING -> answers * (answers - 1) / 2;
            case DEMONSTRATION -> 0;
          };
      if (rows.size() != wanted) {
        throw new IllegalStateException(rows.size() + " rows of a vote on " + item);
      }
      Judgements.preferences(item, vote);
      Judgements.instructions(item, vote);
    }
  }

  /** As {@link VoteLog} does: in UTF-8. */
  private static void written(Vote vote) {
    String line = new String(vote.line().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    try {
      if (!Vote.read(line).equals(vote)) {
        throw new IllegalStateException(vote.line() + " became " + Vote.read(line).line());
      }
    } catch (Vote.RefusedException e) {
      throw new IllegalStateException(line + " is no vote: " + e.detail(), e);
    }
    if (vote.content().has(Vote.RANKING)
        && !JSON.valueToTree(vote.ranking()).equals(vote.content().path(Vote.RANKING))) {
      throw new IllegalStateException("A part of the ranking is not read: " + vote.line());
    }
  }

  private static void check(Vote.RefusedException e) {
    if (!e.rule().matches("[a-z_]+") || e.detail().isBlank()) {
      throw new IllegalStateException("A refusal without a name: " + e.rule(), e);
    }
  }
}
