package dev.distillery.datasets;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/**
 * What a source can be told. Each source looks at what concerns it.
 *
 * @param license SPDX expression of the rows, over what the registry says
 * @param sourceName of the source in its column, over the source's own
 * @param shareGpt how dialogues of sharegpt are cleaned
 * @param stackExchange how answers of stackexchange are paired
 * @param oasst which messages of oasst are taken
 */
@WithBuilder
public record SourceSettings(
    @Option(
            names = "--license",
            paramLabel = "SPDX",
            description = "License of the rows, over what is known of the source.")
        Optional<String> license,
    @Option(
            names = "--source-name",
            paramLabel = "NAME",
            description = "Value of the column source, instead of the source's name.")
        Optional<String> sourceName,
    @OnlyWith(option = "--source", is = "sharegpt") ShareGpt shareGpt,
    @OnlyWith(option = "--source", is = "stackexchange") StackExchange stackExchange,
    @OnlyWith(option = "--source", is = "oasst") Oasst oasst) {
  /** Named setters over the declared defaults. */
  public static SourceSettingsBuilder builder() {
    return SourceSettingsBuilder.builder(OptionsBinder.defaults(SourceSettings.class));
  }

  /**
   * How ShareGPT is cleaned.
   *
   * @param rules the rules that are on, as {@link ShareGptRule#parse} reads them
   * @param html which turns are taken for HTML
   * @param keepLanguage ISO 639-1 codes; with any, dialogues in other languages are rejected
   * @param skipLanguage dialogues in these are rejected
   * @param maxTokens longer dialogues are split between rounds; 0 for never. Tokens are estimated
   * @param bytesPerToken for that estimate
   */
  @WithBuilder
  public record ShareGpt(
      @Option(
              names = "--rules",
              paramLabel = "RULE,...",
              split = ",",
              defaultValue = "fastchat",
              description =
                  "Rules that are on: fastchat, koala, all, none, or by name; a minus before one to"
                      + " switch it off.")
          List<String> rules,
      @Option(
              names = "--html",
              defaultValue = "auto",
              description = "Which dialogues are HTML; auto looks at their answers.")
          Html html,
      @Option(
              names = "--keep-language",
              paramLabel = "CODE,...",
              split = ",",
              description = "Keep dialogues in these languages (ISO 639-1) alone.")
          List<String> keepLanguage,
      @Option(
              names = "--skip-language",
              paramLabel = "CODE,...",
              split = ",",
              description = "Drop dialogues in these languages.")
          List<String> skipLanguage,
      @Bounds(atLeast = 0)
          @Option(
              names = "--max-tokens",
              paramLabel = "N",
              defaultValue = "0",
              description =
                  "Split longer dialogues between rounds; tokens are estimated. 0: never.")
          int maxTokens,
      @Bounds(above = 0)
          @Option(
              names = "--bytes-per-token",
              paramLabel = "N",
              defaultValue = "4.0",
              description = "Bytes of UTF-8 that are counted as one token.")
          double bytesPerToken)
      implements Validated, Serializable {
    /** Named setters over the declared defaults. */
    public static SourceSettingsShareGptBuilder builder() {
      return SourceSettingsShareGptBuilder.builder(OptionsBinder.defaults(ShareGpt.class));
    }

    /** What is done about HTML. */
    public enum Html {
      /** A dialogue is HTML if an answer in it begins with a tag. */
      AUTO,
      /** Every turn is HTML: FastChat's way. */
      ALWAYS,
      NEVER
    }

    public ShareGpt {
      rules = List.copyOf(rules);
      keepLanguage = List.copyOf(keepLanguage);
      skipLanguage = List.copyOf(skipLanguage);
    }

    /** The rules that are on. */
    public Set<ShareGptRule> activeRules() {
      return ShareGptRule.parse(rules, new ArrayList<>());
    }

    @Override
    public List<String> violations() {
      var violations = new ArrayList<String>();
      var unused = ShareGptRule.parse(rules, violations);
      if (!keepLanguage.isEmpty() && !skipLanguage.isEmpty()) {
        violations.add(
            "Options --keep-language and --skip-language: expected one of them, found both");
      }
      return violations;
    }
  }

  /**
   * How Stack Exchange is paired.
   *
   * @param site host of the site that a dump is of, for links; empty where the folder says it
   * @param pairsPerQuestion most of them
   * @param negativeAcceptedScore score of an accepted answer with more votes down than up: the
   *     paper and the data card leave open whether that is -1 or 0
   * @param binarized whether each pair becomes two of good and bad marks, for preference model
   *     pre-training
   */
  @WithBuilder
  public record StackExchange(
      @Option(
              names = "--site",
              paramLabel = "HOST",
              defaultValue = "",
              description =
                  "Site that a dump is of, for links. Else it is the name of the folder"
                      + " that holds the file, if it is a host's.")
          String site,
      @Bounds(atLeast = 1)
          @Option(
              names = "--pairs-per-question",
              paramLabel = "N",
              defaultValue = "10",
              description = "Most pairs that one question gives.")
          int pairsPerQuestion,
      @Bounds(oneOf = {"-1", "0"})
          @Option(
              names = "--negative-accepted-score",
              defaultValue = "-1",
              description = "Score of an accepted answer that was voted down.")
          int negativeAcceptedScore,
      @Option(
              names = "--binarized",
              defaultValue = "false",
              description =
                  "Two pairs with the marks GOOD: and BAD: in place of each, for"
                      + " preference model pre-training.")
          boolean binarized)
      implements Serializable {
    /** Named setters over the declared defaults. */
    public static SourceSettingsStackExchangeBuilder builder() {
      return SourceSettingsStackExchangeBuilder.builder(
          OptionsBinder.defaults(StackExchange.class));
    }
  }

  /**
   * Which messages of OpenAssistant are taken.
   *
   * @param dropRefused whether messages that its moderators refused are left out
   */
  public record Oasst(
      @Option(
              names = "--drop-refused",
              defaultValue = "false",
              description =
                  "Leave out messages that moderators refused (review_result false), with what"
                      + " follows them.")
          boolean dropRefused)
      implements Serializable {}

  /** The settings without any option. */
  public static SourceSettings defaults() {
    return OptionsBinder.defaults(SourceSettings.class);
  }
}
