package dev.distillery.spark.license;

import dev.distillery.spark.license.SourceLicense.Attribution;
import dev.distillery.spark.license.SourceLicense.CommercialUse;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The registry of sources' licenses, and what is known of licenses by their SPDX names. */
public final class Licenses {
  /** The SPDX word for: nobody says. */
  public static final String NOASSERTION = "NOASSERTION";

  private static final String OPENAI =
      "Answers are output of OpenAI models: its terms forbid training models that compete with them";

  private static final List<SourceLicense> ALL =
      List.of(
          new SourceLicense(
              "sharegpt",
              NOASSERTION,
              "Dialogues that users shared, collected by third parties; no author gave a license",
              "https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              OPENAI),
          new SourceLicense(
              "hc3",
              "CC-BY-SA-4.0",
              "Name the source and share alike; where a part's origin is stricter, that holds",
              "https://huggingface.co/datasets/Hello-SimpleAI/HC3",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              OPENAI),
          new SourceLicense(
              "stackexchange",
              "CC-BY-SA-4.0",
              "Name each author with a link and share alike; older posts stand under 2.5 or 3.0",
              "https://stackoverflow.com/help/licensing",
              Attribution.EACH_AUTHOR,
              CommercialUse.YES,
              ""),
          new SourceLicense(
              "hh-rlhf",
              "MIT",
              "Keep the copyright notice",
              "https://github.com/anthropics/hh-rlhf",
              Attribution.SOURCE,
              CommercialUse.YES,
              "Answers are output of Anthropic's models, published by Anthropic itself"),
          new SourceLicense(
              "webgpt",
              NOASSERTION,
              "Published by OpenAI without a license of the data; quotes belong to their web pages",
              "https://huggingface.co/datasets/openai/webgpt_comparisons",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              OPENAI),
          new SourceLicense(
              "summarize-from-feedback",
              "CC-BY-4.0",
              "Name the source; posts are from TL;DR of Reddit and articles from CNN and Daily Mail",
              "https://github.com/openai/summarize-from-feedback",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              OPENAI),
          new SourceLicense(
              "oig",
              "Apache-2.0",
              "Keep the notices; parts come from sources with terms of their own",
              "https://huggingface.co/datasets/laion/OIG",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              ""),
          new SourceLicense(
              "alpaca",
              "CC-BY-NC-4.0",
              "Name the source; no commercial use",
              "https://github.com/tatsu-lab/stanford_alpaca",
              Attribution.SOURCE,
              CommercialUse.NO,
              OPENAI),
          new SourceLicense(
              "self-instruct-seeds",
              "Apache-2.0",
              "Keep the notices",
              "https://github.com/yizhongw/self-instruct",
              Attribution.SOURCE,
              CommercialUse.YES,
              ""),
          new SourceLicense(
              "self-instruct",
              "Apache-2.0",
              "Keep the notices",
              "https://github.com/yizhongw/self-instruct",
              Attribution.SOURCE,
              CommercialUse.UNCLEAR,
              OPENAI),
          new SourceLicense(
              "dolly",
              "CC-BY-SA-3.0",
              "Name the source and share alike",
              "https://huggingface.co/datasets/databricks/databricks-dolly-15k",
              Attribution.SOURCE,
              CommercialUse.YES,
              ""),
          new SourceLicense(
              "oasst",
              "Apache-2.0",
              "Keep the notices",
              "https://huggingface.co/datasets/OpenAssistant/oasst1",
              Attribution.SOURCE,
              CommercialUse.YES,
              ""),
          unknown("openai-messages"),
          unknown("preferences"),
          unknown("documents"));

  private static final Map<String, SourceLicense> BY_SOURCE =
      ALL.stream().collect(Collectors.toMap(SourceLicense::source, Function.identity()));

  private static final Set<String> PERMISSIVE =
      Set.of(
          "0BSD",
          "APACHE-2.0",
          "BSD-2-CLAUSE",
          "BSD-3-CLAUSE",
          "CC0-1.0",
          "ISC",
          "MIT",
          "ODC-BY-1.0",
          "PDDL-1.0",
          "UNLICENSE");

  /** Stack Exchange's license is that of the day on which a post was written. */
  private static final LocalDate VERSION_3_FROM = LocalDate.of(2011, 4, 8);

  private static final LocalDate VERSION_4_FROM = LocalDate.of(2018, 5, 2);

  private Licenses() {}

  /** Every source of the registry. */
  public static List<SourceLicense> all() {
    return ALL;
  }

  /**
   * The terms of a source, if the registry has it. A part of a source, {@code hc3/finance}, stands
   * under the terms of the whole.
   */
  public static Optional<SourceLicense> of(String source) {
    int slash = source.indexOf('/');
    return Optional.ofNullable(BY_SOURCE.get(slash < 0 ? source : source.substring(0, slash)));
  }

  /** The license that Stack Exchange gives a post written on that day. */
  public static String ofStackExchangePost(LocalDate written) {
    if (written.isBefore(VERSION_3_FROM)) {
      return "CC-BY-SA-2.5";
    }
    return written.isBefore(VERSION_4_FROM) ? "CC-BY-SA-3.0" : "CC-BY-SA-4.0";
  }

  /** Whether a license, by its SPDX expression alone, allows commercial use: all its parts must. */
  static CommercialUse commercialUse(String spdx) {
    CommercialUse use = CommercialUse.YES;
    for (String part : spdx.toUpperCase(Locale.ROOT).split(" AND ", -1)) {
      if (part.startsWith("CC-BY-NC")) {
        return CommercialUse.NO;
      }
      if (!part.matches("CC-BY(-SA)?-[0-9.]+") && !PERMISSIVE.contains(part)) {
        use = CommercialUse.UNCLEAR;
      }
    }
    return use;
  }

  private static SourceLicense unknown(String source) {
    return new SourceLicense(
        source,
        NOASSERTION,
        "Not known: say it with --license",
        "",
        Attribution.SOURCE,
        CommercialUse.UNCLEAR,
        "");
  }
}
