package dev.distillery.datasets.stackexchange;

/**
 * The quality of an answer, from its votes (Askell et al. 2021, "A general language assistant as a
 * laboratory for alignment", section 4.1 and appendix).
 */
public final class AnswerScore {
  private AnswerScore() {}

  /**
   * round(log2(1 + votes)), and 1 more if the asker accepted the answer; -1 where more people voted
   * it down than up.
   *
   * @param negativeAccepted the score of an accepted answer below zero votes, which the paper
   *     leaves open: -1 or 0
   */
  public static int of(long votes, boolean accepted, int negativeAccepted) {
    if (votes < 0) {
      return accepted ? negativeAccepted : -1;
    }
    // The logarithm of a whole number is never exactly half way, so no rule for halves is needed.
    long rounded = Math.round(Math.log(1.0 + votes) / Math.log(2));
    return (int) rounded + (accepted ? 1 : 0);
  }
}
