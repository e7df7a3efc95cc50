package dev.distillery.datasets;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a source can be told. Each source looks at what concerns it.
 *
 * @param license SPDX expression of the rows, over what the registry says
 * @param name of the source in its column, over the source's own
 * @param shareGpt how dialogues of sharegpt are cleaned
 * @param stackExchange how answers of stackexchange are paired
 * @param seed of what is drawn
 */
public record SourceSettings(
    Optional<String> license,
    Optional<String> name,
    ShareGpt shareGpt,
    StackExchange stackExchange,
    long seed) {

  /**
   * How ShareGPT is cleaned.
   *
   * @param rules the rules that are on
   * @param html which turns are taken for HTML
   * @param keepLanguages ISO 639-1 codes; with any, dialogues in other languages are rejected
   * @param skipLanguages dialogues in these are rejected
   * @param maxTokens longer dialogues are split between rounds; 0 for never. Tokens are estimated
   * @param bytesPerToken for that estimate
   */
  public record ShareGpt(
      Set<ShareGptRule> rules,
      Html html,
      List<String> keepLanguages,
      List<String> skipLanguages,
      int maxTokens,
      double bytesPerToken)
      implements Serializable {

    /** What is done about HTML. */
    public enum Html {
      /** A dialogue is HTML if an answer in it begins with a tag. */
      AUTO,
      /** Every turn is HTML: FastChat's way. */
      ALWAYS,
      NEVER
    }

    public ShareGpt {
      rules = Set.copyOf(rules);
      keepLanguages = List.copyOf(keepLanguages);
      skipLanguages = List.copyOf(skipLanguages);
    }
  }

  /**
   * How Stack Exchange is paired.
   *
   * @param site host of the site that a dump is of, for links; empty where the folder says it
   * @param maxPairs of one question
   * @param negativeAccepted score of an accepted answer with more votes down than up: the paper and
   *     the data card leave open whether that is -1 or 0
   * @param binarized whether each pair becomes two of good and bad marks, for preference model
   *     pre-training
   */
  public record StackExchange(String site, int maxPairs, int negativeAccepted, boolean binarized)
      implements Serializable {}

  /** The settings without any option. */
  public static SourceSettings defaults() {
    return new SourceSettings(
        Optional.empty(),
        Optional.empty(),
        new ShareGpt(ShareGptRule.FASTCHAT, ShareGpt.Html.AUTO, List.of(), List.of(), 0, 4.0),
        new StackExchange("", 10, -1, false),
        42);
  }
}
