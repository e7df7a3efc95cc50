package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.Message;
import dev.distillery.training.tokens.AnswerEncoder.Answered;
import java.util.Arrays;
import java.util.List;

/**
 * Turns a comparison of two answers into a row of two documents: the prompt with the chosen answer,
 * then the prompt with the other, each up to the mark that closes the answer. An answer's tokens
 * have the weight 1. The figures are the row's pairs, three numbers each: the better document, the
 * other, and the margin. Safe for several threads.
 */
public final class PreferenceEncoder {
  private final AnswerEncoder answers;
  private final TokenSettings settings;

  /**
   * @param settings of pairs
   */
  public PreferenceEncoder(AnswerEncoder answers, TokenSettings settings) {
    this.answers = answers;
    this.settings = settings;
  }

  /**
   * A pair.
   *
   * @param margin by how much the chosen answer is better; 0 where nobody said
   */
  public EncodedRow pair(List<Message> prompt, String chosen, String rejected, double margin) {
    if (!Double.isFinite(margin)) {
      return EncodedRow.rejected(EncodedRow.BAD_MARGIN, "The margin is " + margin);
    }
    if (chosen.equals(rejected)) {
      return EncodedRow.rejected(EncodedRow.EQUAL_ANSWERS, "Both answers are the same text");
    }
    Answered better;
    Answered other;
    try {
      better = answers.closed(prompt, chosen);
      other = answers.closed(prompt, rejected);
    } catch (IllegalArgumentException e) {
      return EncodedRow.rejected(EncodedRow.NO_FORM, String.valueOf(e.getMessage()));
    }
    if (!better.hasAnswer() || !other.hasAnswer()) {
      return EncodedRow.rejected(
          EncodedRow.NO_LABEL,
          "The %s answer has no token to learn".formatted(better.hasAnswer() ? "other" : "chosen"));
    }
    return fit(List.of(better, other), chosen.length() + rejected.length(), (float) margin);
  }

  /** The last answer of a dialogue, as pairs have theirs: a row of one document, of no pair. */
  EncodedRow answer(List<Message> dialogue) {
    Answered answer;
    try {
      answer = answers.closed(dialogue);
    } catch (IllegalArgumentException e) {
      return EncodedRow.rejected(EncodedRow.NO_FORM, String.valueOf(e.getMessage()));
    }
    return answer.hasAnswer()
        ? fit(List.of(answer), dialogue.stream().mapToInt(turn -> turn.content().length()).sum(), 0)
        : EncodedRow.rejected(EncodedRow.NO_LABEL, "The last answer has no token");
  }

  private EncodedRow fit(List<Answered> sides, int characters, float margin) {
    int limit = settings.maxLength();
    int longest = sides.stream().mapToInt(side -> side.ids().length).max().orElse(0);
    int prompt = sides.get(0).from();
    boolean fromTheLeft = settings.pairs().longPair() == PairSettings.LongPair.CUT_PROMPT;
    if (prompt >= limit && !fromTheLeft) {
      return EncodedRow.rejected(
          EncodedRow.PROMPT_TOO_LONG,
          "The prompt has %s tokens, and a row of %s has no room for an answer"
              .formatted(prompt, limit));
    }
    if (longest > limit && settings.pairs().longPair() == PairSettings.LongPair.REJECT) {
      return EncodedRow.rejected(
          EncodedRow.TOO_LONG,
          "The longer side has %s tokens, more than %s".formatted(longest, limit));
    }
    // Both sides lose the same of their prompt, or they would not be compared.
    int dropped = fromTheLeft ? Math.min(Math.max(0, longest - limit), Math.max(0, prompt - 1)) : 0;
    int[][] kept = new int[sides.size()][];
    int tokens = 0;
    for (int i = 0; i < kept.length; i++) {
      int[] ids = sides.get(i).ids();
      kept[i] = Arrays.copyOfRange(ids, dropped, Math.min(ids.length, dropped + limit));
      tokens += ids.length;
    }
    if (kept.length == 2 && Arrays.equals(kept[0], kept[1])) {
      return EncodedRow.rejected(
          EncodedRow.EQUAL_AFTER_CUT,
          "Both answers are the same within a row of %s tokens".formatted(limit));
    }
    return row(sides, kept, dropped, tokens, characters, margin);
  }

  private static EncodedRow row(
      List<Answered> sides, int[][] kept, int dropped, int tokens, int characters, float margin) {
    int total = Arrays.stream(kept).mapToInt(ids -> ids.length).sum();
    int[] ids = new int[total];
    float[] weights = new float[total];
    int[] starts = new int[kept.length];
    boolean stops = true;
    for (int i = 0, at = 0; i < kept.length; i++) {
      starts[i] = at;
      System.arraycopy(kept[i], 0, ids, at, kept[i].length);
      int from = Math.max(1, sides.get(i).from() - dropped);
      Arrays.fill(weights, at + from, at + kept[i].length, 1);
      stops &= kept[i].length + dropped == sides.get(i).ids().length;
      at += kept[i].length;
    }
    TokenSequence sequence = new TokenSequence(ids, weights, starts);
    return new EncodedRow(
        List.of(kept.length == 2 ? sequence.with(0, 1, margin) : sequence),
        "",
        "",
        tokens,
        tokens - total,
        characters,
        stops,
        false,
        0);
  }
}
