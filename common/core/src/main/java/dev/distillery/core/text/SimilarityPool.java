package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The growing pool of texts of the sequential gate: a candidate is compared with every text so far,
 * and added if it is new enough. Exact, and the same texts in the same order always give the same
 * answers. Members are numbered from 0 in the order in which they were added. Not for use by two
 * threads at a time.
 *
 * <pre>{@code
 * var pool = new SimilarityPool(WordTokenizer.named("rouge"), 0.7);
 * seeds.forEach(pool::add);
 * if (pool.firstAbove(candidate).isEmpty()) {
 *   List<Match> mostSimilar = pool.nearest(candidate, 10); // before it is a member itself
 *   pool.add(candidate);
 * }
 * }</pre>
 */
public final class SimilarityPool {
  private final WordTokenizer tokenizer;
  private final WordNumbers vocabulary = new WordNumbers();
  private final SimilarityIndex similar;
  private final NeighbourIndex neighbours = new NeighbourIndex();
  private final List<String> texts = new ArrayList<>();

  /**
   * An empty pool.
   *
   * @param threshold the ROUGE-L F, from 0 to 1, above which two texts are too similar
   */
  public SimilarityPool(WordTokenizer tokenizer, double threshold) {
    this.tokenizer = tokenizer;
    this.similar = new SimilarityIndex(threshold);
  }

  /** How many members there are. */
  public int size() {
    return texts.size();
  }

  /** A member's text. */
  public String text(int member) {
    return texts.get(member);
  }

  /** Adds a text, whatever it is similar to; returns its number. */
  public int add(String text) {
    TokenList list = vocabulary.add(tokenizer.tokenize(text));
    similar.add(list);
    neighbours.add(list);
    texts.add(text);
    return texts.size() - 1;
  }

  /** The earliest member that scores above the threshold with the text. */
  public Optional<Match> firstAbove(String text) {
    return similar.above(encode(text), 1).stream().findFirst();
  }

  /**
   * The members most similar to the text, however low their scores, but not those of score 0: best
   * first, of equal scores the earlier member first. The first one's score is the text's maximal
   * similarity.
   *
   * @param limit at most so many
   */
  public List<Match> nearest(String text, int limit) {
    return neighbours.nearest(encode(text), limit);
  }

  /**
   * The mean score of the text over all members (0 if there are none), as Self-Instruct stores it.
   * Unlike the other questions, this one has to be asked of every member that shares a token.
   */
  public double meanSimilarity(String text) {
    return neighbours.meanScore(encode(text));
  }

  private TokenList encode(String text) {
    return vocabulary.encode(tokenizer.tokenize(text));
  }
}
