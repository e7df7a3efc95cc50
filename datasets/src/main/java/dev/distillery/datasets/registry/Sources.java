package dev.distillery.datasets.registry;

import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.Tagging;
import dev.distillery.datasets.alpaca.AlpacaDialoguesSource;
import dev.distillery.datasets.alpaca.AlpacaSource;
import dev.distillery.datasets.documents.DocumentsSource;
import dev.distillery.datasets.dolly.DollySource;
import dev.distillery.datasets.hc3.Hc3Source;
import dev.distillery.datasets.hhrlhf.HhRlhfSource;
import dev.distillery.datasets.messages.OpenAiMessagesSource;
import dev.distillery.datasets.oasst.OasstSource;
import dev.distillery.datasets.oig.OigSource;
import dev.distillery.datasets.preferences.PreferencesSource;
import dev.distillery.datasets.read.InputFiles;
import dev.distillery.datasets.selfinstruct.SelfInstructSource;
import dev.distillery.datasets.sharegpt.ShareGptSource;
import dev.distillery.datasets.stackexchange.StackExchangeSource;
import dev.distillery.datasets.summarize.SummarizeSource;
import dev.distillery.datasets.webgpt.WebGptSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Every source by its name. */
public enum Sources {
  SHAREGPT,
  HC3,
  STACKEXCHANGE,
  HH_RLHF,
  WEBGPT,
  SUMMARIZE_FROM_FEEDBACK,
  OIG,
  ALPACA,
  /** Rows of Alpaca's shape as dialogues, with their system texts and histories. */
  ALPACA_DIALOGUES,
  SELF_INSTRUCT_SEEDS,
  SELF_INSTRUCT,
  DOLLY,
  OASST,
  OPENAI_MESSAGES,
  PREFERENCES,
  DOCUMENTS,
  /** Lines of text, a document each. */
  DOCUMENT_LINES,
  /** Text files, a document each. */
  DOCUMENT_FILES;

  /** The reader of this source. */
  public Source create(SourceSettings settings, long seed) {
    Tagging tagging = Tagging.of(registryName(), settings);
    return switch (this) {
      case SHAREGPT -> new ShareGptSource(tagging, settings.shareGpt());
      case HC3 -> new Hc3Source(tagging);
      case STACKEXCHANGE -> new StackExchangeSource(tagging, settings.stackExchange(), seed);
      case HH_RLHF -> new HhRlhfSource(tagging);
      case WEBGPT -> new WebGptSource(tagging);
      case SUMMARIZE_FROM_FEEDBACK -> new SummarizeSource(tagging);
      case OIG -> new OigSource(tagging);
      case ALPACA -> new AlpacaSource(tagging);
      case ALPACA_DIALOGUES -> new AlpacaDialoguesSource(tagging);
      case SELF_INSTRUCT_SEEDS -> new SelfInstructSource(tagging, true);
      case SELF_INSTRUCT -> new SelfInstructSource(tagging, false);
      case DOLLY -> new DollySource(tagging);
      case OASST -> new OasstSource(tagging, settings.oasst());
      case OPENAI_MESSAGES -> new OpenAiMessagesSource(tagging);
      case PREFERENCES -> new PreferencesSource(tagging);
      case DOCUMENTS -> new DocumentsSource(tagging, InputFiles.Expected.JSON);
      case DOCUMENT_LINES -> new DocumentsSource(tagging, InputFiles.Expected.TEXT_LINES);
      case DOCUMENT_FILES -> new DocumentsSource(tagging, InputFiles.Expected.WHOLE_FILE);
    };
  }

  /** The name that the registry of licenses has it under. */
  public String registryName() {
    return switch (this) {
      case DOCUMENT_LINES, DOCUMENT_FILES -> "documents";
      case ALPACA_DIALOGUES -> "alpaca";
      default -> name().toLowerCase(Locale.ROOT).replace('_', '-');
    };
  }

  /** All readers as they are without options, for listing. */
  public static List<Source> all() {
    return Arrays.stream(values())
        .map(source -> source.create(SourceSettings.defaults(), 0))
        .toList();
  }
}
