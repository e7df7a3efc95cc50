package dev.distillery.training.tokens;

import java.util.Map;
import java.util.TreeMap;

/**
 * What became of one input on its way into a token table. Rows read = rows kept + rejects; tokens
 * read = tokens of the table + tokens cut + tokens shared - ends added.
 *
 * @param rowsRead rows of the input
 * @param rowsKept those that have tokens in the table
 * @param rowsCut those of them that lost tokens to the longest length
 * @param rowsSplit those that stand in several rows
 * @param rowsWithoutStop those of which no end of an answer, or of the document, is learned
 * @param rowsEndingWithUser those whose last turn is a question that nobody answers
 * @param emptyAnswers answers without text, which are not learned
 * @param tokensRead of all rows kept, before anything was cut
 * @param tokensCut that no row of the table holds, those that packing left out included
 * @param tokensShared of answers that stand in several pairs of one prompt and once in the table
 * @param endsAdded ends that packing put between texts
 * @param rejects rows dropped, by rule
 */
public record TokenCounts(
    long rowsRead,
    long rowsKept,
    long rowsCut,
    long rowsSplit,
    long rowsWithoutStop,
    long rowsEndingWithUser,
    long emptyAnswers,
    long tokensRead,
    long tokensCut,
    long tokensShared,
    long endsAdded,
    Map<String, Long> rejects) {
  public TokenCounts {
    rejects = Map.copyOf(new TreeMap<>(rejects));
  }

  /** The sums of two inputs. */
  public TokenCounts plus(TokenCounts other) {
    Map<String, Long> all = new TreeMap<>(rejects);
    other.rejects.forEach((rule, count) -> all.merge(rule, count, Long::sum));
    return new TokenCounts(
        rowsRead + other.rowsRead,
        rowsKept + other.rowsKept,
        rowsCut + other.rowsCut,
        rowsSplit + other.rowsSplit,
        rowsWithoutStop + other.rowsWithoutStop,
        rowsEndingWithUser + other.rowsEndingWithUser,
        emptyAnswers + other.emptyAnswers,
        tokensRead + other.tokensRead,
        tokensCut + other.tokensCut,
        tokensShared + other.tokensShared,
        endsAdded + other.endsAdded,
        all);
  }

  /** The counts by the names that a summary gives them. */
  public Map<String, Number> figures() {
    Map<String, Number> figures = new TreeMap<>();
    figures.put("rows_read", rowsRead);
    figures.put("rows_kept", rowsKept);
    figures.put("rows_cut", rowsCut);
    figures.put("rows_split", rowsSplit);
    figures.put("rows_without_stop", rowsWithoutStop);
    figures.put("rows_ending_with_user", rowsEndingWithUser);
    figures.put("empty_answers", emptyAnswers);
    figures.put("tokens_read", tokensRead);
    figures.put("tokens_cut", tokensCut);
    figures.put("tokens_shared", tokensShared);
    figures.put("ends_added", endsAdded);
    return figures;
  }
}
