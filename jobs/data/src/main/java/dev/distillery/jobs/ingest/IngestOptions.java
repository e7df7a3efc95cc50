package dev.distillery.jobs.ingest;

import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.datasets.ShareGptRule;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.SourceSettings.ShareGpt;
import dev.distillery.datasets.read.ReadLimits;
import dev.distillery.datasets.registry.Sources;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;

/**
 * What {@code ingest} can be told; {@code --use} refuses a source whose license does not allow it.
 *
 * @param run what every job can be told
 * @param source which reader
 * @param input paths, folders and globs
 * @param license over what the registry says
 * @param sourceName over the source's own name
 * @param rules of sharegpt
 * @param html of sharegpt
 * @param keepLanguage of sharegpt
 * @param skipLanguage of sharegpt
 * @param maxTokens of sharegpt
 * @param bytesPerToken of sharegpt
 * @param site of stackexchange
 * @param pairsPerQuestion of stackexchange
 * @param negativeAcceptedScore of stackexchange
 * @param binarized of stackexchange
 * @param maxRowBytes longest row
 * @param maxExpansion of a compressed file
 * @param splitBytes size of a task's part of a file
 */
public record IngestOptions(
    RunOptions run,
    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "What the files are: which reader takes them.")
        Sources source,
    @Option(
            names = "--input",
            paramLabel = "PATH",
            description = "File, folder or glob, any Hadoop URI; may be given several times.")
        List<String> input,
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
    @Option(
            names = "--rules",
            paramLabel = "RULE,...",
            split = ",",
            description =
                "sharegpt: fastchat, koala, all, none, rules by name, a minus before a rule to"
                    + " switch it off. Default: fastchat.")
        List<String> rules,
    @Option(
            names = "--html",
            paramLabel = "auto|always|never",
            defaultValue = "auto",
            description = "sharegpt: which dialogues are HTML; auto looks at their answers.")
        ShareGpt.Html html,
    @Option(
            names = "--keep-language",
            paramLabel = "CODE,...",
            split = ",",
            description = "sharegpt: keep dialogues in these languages (ISO 639-1) alone.")
        List<String> keepLanguage,
    @Option(
            names = "--skip-language",
            paramLabel = "CODE,...",
            split = ",",
            description = "sharegpt: drop dialogues in these languages.")
        List<String> skipLanguage,
    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "0",
            description =
                "sharegpt: split longer dialogues between rounds; tokens are estimated. 0: never.")
        int maxTokens,
    @Option(
            names = "--bytes-per-token",
            paramLabel = "N",
            defaultValue = "4.0",
            description = "sharegpt: bytes of UTF-8 that are counted as one token.")
        double bytesPerToken,
    @Option(
            names = "--site",
            paramLabel = "HOST",
            description =
                "stackexchange: site that a dump is of, for links. Default: the name of the folder"
                    + " that holds the file, if it is a host's.")
        Optional<String> site,
    @Option(
            names = "--pairs-per-question",
            paramLabel = "N",
            defaultValue = "10",
            description = "stackexchange: most pairs that one question gives.")
        int pairsPerQuestion,
    @Option(
            names = "--negative-accepted-score",
            paramLabel = "-1|0",
            defaultValue = "-1",
            description = "stackexchange: score of an accepted answer that was voted down.")
        int negativeAcceptedScore,
    @Option(
            names = "--binarized",
            defaultValue = "false",
            description =
                "stackexchange: two pairs with the marks GOOD: and BAD: in place of each, for"
                    + " preference model pre-training.")
        boolean binarized,
    @Option(
            names = "--max-row-bytes",
            paramLabel = "BYTES",
            defaultValue = "16777216",
            description = "Reject longer rows, without holding them in memory.")
        int maxRowBytes,
    @Option(
            names = "--max-expansion",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Cut off a compressed file that grows by more than this factor.")
        int maxExpansion,
    @Tunable
        @Option(
            names = "--split-bytes",
            paramLabel = "BYTES",
            defaultValue = "33554432",
            description = "Size of the part of a file that one task reads, as stored.")
        long splitBytes)
    implements Validated {
  private static final int MIN_ROW_BYTES = 1024;

  /** Above this a row and its parsed form do not fit a small executor any more. */
  private static final int MAX_ROW_BYTES = 256 << 20;

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(run.violations());
    if (input.isEmpty()) {
      violations.add("Option --input is required: name files, folders or globs");
    }
    ShareGptRule.parse(rules, violations);
    atLeast("--max-tokens", maxTokens, 0, violations);
    atLeast("--pairs-per-question", pairsPerQuestion, 1, violations);
    atLeast("--max-expansion", maxExpansion, 2, violations);
    atLeast("--split-bytes", splitBytes, MIN_ROW_BYTES, violations);
    if (bytesPerToken <= 0) {
      violations.add("Option --bytes-per-token must be above 0, found " + bytesPerToken);
    }
    if (maxRowBytes < MIN_ROW_BYTES || maxRowBytes > MAX_ROW_BYTES) {
      violations.add(
          "Option --max-row-bytes must lie between "
              + MIN_ROW_BYTES
              + " and "
              + MAX_ROW_BYTES
              + ", found "
              + maxRowBytes);
    }
    if (negativeAcceptedScore != -1 && negativeAcceptedScore != 0) {
      violations.add(
          "Option --negative-accepted-score must be -1 or 0, found " + negativeAcceptedScore);
    }
    if (!keepLanguage.isEmpty() && !skipLanguage.isEmpty()) {
      violations.add("Options --keep-language and --skip-language exclude each other");
    }
    return violations;
  }

  private static void atLeast(String option, long value, long least, List<String> violations) {
    if (value < least) {
      violations.add("Option " + option + " must be " + least + " or more, found " + value);
    }
  }

  ReadLimits limits() {
    return new ReadLimits(maxRowBytes, maxExpansion);
  }

  SourceSettings settings() {
    Set<ShareGptRule> shareGptRules =
        rules.isEmpty() ? ShareGptRule.FASTCHAT : ShareGptRule.parse(rules, new ArrayList<>());
    return new SourceSettings(
        license,
        sourceName,
        new ShareGpt(shareGptRules, html, keepLanguage, skipLanguage, maxTokens, bytesPerToken),
        new SourceSettings.StackExchange(
            site.orElse(""), pairsPerQuestion, negativeAcceptedScore, binarized),
        run.randomSeed());
  }
}
