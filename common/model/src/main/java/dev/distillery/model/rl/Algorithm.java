package dev.distillery.model.rl;

/** How advantages are made of rewards. */
public enum Algorithm {
  /** By a critic, token by token: PPO as InstructGPT and TRL have it, KL in each token's reward. */
  PPO,
  /**
   * By the other answers to the same prompt, leave one out (Ahmadian et al. 2024); the answer's KL
   * is taken from its score.
   */
  RLOO,
  /** By the answers to the same prompt, standardised (Shao et al. 2024); KL is a loss (k3). */
  GRPO;

  /** Whether values are learned. */
  public boolean hasCritic() {
    return this == PPO;
  }
}
