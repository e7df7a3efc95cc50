package dev.distillery.jobs.ppo;

/** What is whitened. */
public enum Whiten {
  OFF,
  ADVANTAGES,
  REWARDS,
  BOTH;

  boolean advantages() {
    return this == ADVANTAGES || this == BOTH;
  }

  boolean rewards() {
    return this == REWARDS || this == BOTH;
  }
}
