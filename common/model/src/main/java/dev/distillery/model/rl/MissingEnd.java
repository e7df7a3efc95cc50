package dev.distillery.model.rl;

/** What an answer's score becomes where the answer reached its limit without an end. */
public enum MissingEnd {
  /** Minus the penalty, whatever was scored (OpenAI, "N+ implementation details"). */
  REPLACE {
    @Override
    public double score(double score, double penalty) {
      return -penalty;
    }
  },

  /** The penalty is taken from it (TRL's missing_eos_penalty). */
  SUBTRACT {
    @Override
    public double score(double score, double penalty) {
      return score - penalty;
    }
  },

  /** It stays: StackLLaMA's answers never end. */
  OFF {
    @Override
    public double score(double score, double penalty) {
      return score;
    }
  };

  /** The score of an answer without an end. */
  public abstract double score(double score, double penalty);
}
