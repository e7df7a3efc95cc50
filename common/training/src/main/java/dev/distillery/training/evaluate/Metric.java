package dev.distillery.training.evaluate;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What is measured of an item, and how items make one figure. */
public enum Metric {
  /**
   * Choices: whether the right one has the highest log-probability. Likelihood: whether each token
   * of the answer is the most likely one. As lm-evaluation-harness.
   */
  ACC,
  /** As {@link #ACC}, the log-probability divided by the choice's characters. */
  ACC_NORM,
  /** Divided by its bytes in UTF-8. */
  ACC_BYTES,
  /** Divided by its tokens (GPT-1, GPT-3). */
  ACC_TOKENS,
  /** Less the log-probability of the choice after the task's unconditional context. */
  ACC_MUTUAL_INFO,
  /** Whether the answer is one that is right, white space at both ends left out. */
  EXACT_MATCH,
  /** To the character. */
  EXACT_MATCH_RAW,
  /** Of words in order, as SQuAD counts: case, articles and punctuation left out. */
  EXACT_MATCH_SQUAD,
  /** Whether the answer's last number is the right answer's, in value. */
  NUMBER_MATCH,
  /** Of words, articles and punctuation left out, as SQuAD counts. */
  F1,
  /** F measure of the longest common subsequence, as rouge_score without stemming. */
  ROUGE_L("rougeL"),
  /** Of the whole set of answers, as sacrebleu's default (13a, exponential smoothing). */
  BLEU,
  /** exp of the negative mean log-probability: of an answer, or of a text's token. */
  PERPLEXITY,
  /** As {@link #PERPLEXITY}, for each word; words are parted by white space. */
  WORD_PERPLEXITY,
  /** For each byte of UTF-8. */
  BYTE_PERPLEXITY,
  /** Its logarithm of base two. */
  BITS_PER_BYTE;

  private static final Set<Metric> CHOICES =
      EnumSet.of(ACC, ACC_NORM, ACC_BYTES, ACC_TOKENS, ACC_MUTUAL_INFO);
  private static final Set<Metric> WRITTEN =
      EnumSet.of(EXACT_MATCH, EXACT_MATCH_RAW, EXACT_MATCH_SQUAD, NUMBER_MATCH, F1, ROUGE_L, BLEU);
  private static final Set<Metric> EXACT =
      EnumSet.of(EXACT_MATCH, EXACT_MATCH_RAW, EXACT_MATCH_SQUAD, NUMBER_MATCH);
  private static final Set<Metric> LIKELIHOOD = EnumSet.of(ACC, PERPLEXITY);
  private static final Set<Metric> DOCUMENT =
      EnumSet.of(PERPLEXITY, WORD_PERPLEXITY, BYTE_PERPLEXITY, BITS_PER_BYTE);

  private final String word;

  Metric() {
    this.word = name().toLowerCase(Locale.ROOT);
  }

  Metric(String word) {
    this.word = word;
  }

  /** As files, tables and figures write it. */
  public String word() {
    return word;
  }

  static Optional<Metric> of(String word) {
    return Stream.of(values()).filter(metric -> metric.word.equals(word)).findFirst();
  }

  /** Those that a form can have. */
  static Set<Metric> of(EvalTask.Form form) {
    if (form instanceof EvalTask.Form.Choices) {
      return CHOICES;
    }
    if (form instanceof EvalTask.Form.Generate) {
      return WRITTEN;
    }
    return form instanceof EvalTask.Form.Likelihood ? LIKELIHOOD : DOCUMENT;
  }

  /** Whether an answer has it or has it not, so that several answers can vote, or pass. */
  public boolean exact() {
    return EXACT.contains(this);
  }

  /**
   * The names of its figures: itself, and of several samples {@code pass@k} for powers of two and
   * all of them, and {@code maj@k} of all. The metric stands before a comma, as in
   * lm-evaluation-harness.
   */
  public List<String> figures(int samples) {
    List<String> names = new ArrayList<>(List.of(word));
    if (samples > 1 && exact()) {
      SampledAnswers.sizes(samples).forEach(k -> names.add(passAt(k)));
      names.add(majorityAt(samples));
    }
    return names;
  }

  String passAt(int k) {
    return word + ",pass@" + k;
  }

  String majorityAt(int k) {
    return word + ",maj@" + k;
  }

  /** Whether items' values are averaged; else the figure is of sums. */
  public boolean averaged() {
    return this != BLEU && !perLogprob();
  }

  /** Whether the figure is made of log-probabilities over what they are divided by. */
  public boolean perLogprob() {
    return DOCUMENT.contains(this);
  }
}
