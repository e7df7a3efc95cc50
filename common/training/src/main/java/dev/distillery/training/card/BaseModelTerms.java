package dev.distillery.training.card;

import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.spark.license.UsePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The terms of a model that training begins from, as it says itself: the head of a directory's
 * README.md, or a GGUF file's {@code general.license}.
 *
 * @param license as it stands there; empty where nothing does
 */
public record BaseModelTerms(Optional<String> license) {
  private static final String GGUF_LICENSE = "general.license";

  /** The head of a card: YAML between two lines of dashes. */
  private static final Pattern LICENSE =
      Pattern.compile("(?m)^license:[ \\t]*['\"]?([A-Za-z0-9._+-]+)['\"]?[ \\t]*$");

  private static final Pattern NAME =
      Pattern.compile("(?m)^license_name:[ \\t]*['\"]?([A-Za-z0-9._+-]+)['\"]?[ \\t]*$");

  /** A card is a few kilobytes; no more of it is looked at than this. */
  private static final int MOST = 1 << 16;

  /** Names on model hubs that are not SPDX's. */
  private static final List<String> COMMUNITY = List.of("llama", "gemma", "openrail", "bigscience");

  /** Reads what a model says. */
  public static BaseModelTerms of(Path model) throws IOException {
    if (!Files.isDirectory(model)) {
      if (!ModelFiles.isGguf(model)) {
        return new BaseModelTerms(Optional.empty());
      }
      try (ModelFiles files = ModelFiles.open(model)) {
        GgufMetadata metadata = files.gguf().orElseThrow();
        return new BaseModelTerms(
            metadata.has(GGUF_LICENSE)
                ? Optional.of(metadata.text(GGUF_LICENSE))
                : Optional.empty());
      }
    }
    Path card = model.resolve("README.md");
    if (!Files.isRegularFile(card)) {
      return new BaseModelTerms(Optional.empty());
    }
    try (var in = Files.newInputStream(card)) {
      return ofCard(new String(in.readNBytes(MOST), java.nio.charset.StandardCharsets.UTF_8));
    }
  }

  static BaseModelTerms ofCard(String card) {
    int end = card.startsWith("---") ? card.indexOf("\n---", 3) : -1;
    if (end < 0) {
      return new BaseModelTerms(Optional.empty());
    }
    String head = card.substring(0, end);
    Optional<String> license = first(LICENSE, head);
    return new BaseModelTerms(
        license
            .filter(name -> !name.equals("other"))
            .or(() -> first(NAME, head))
            .or(() -> license));
  }

  private static Optional<String> first(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** Why a model may not be used so; empty where it may. */
  public Optional<String> objection(Use use) {
    if (use == Use.RESEARCH) {
      return Optional.empty();
    }
    if (license.isEmpty()) {
      return Optional.of(
          "it names no license, in the head of a README.md or in general.license; add the license"
              + " that it was published under");
    }
    String name = license.get().toLowerCase(Locale.ROOT);
    if (COMMUNITY.stream().anyMatch(name::startsWith)) {
      return Optional.of(
          "its terms ("
              + license.get()
              + ") are a license of its own with conditions; LLaMA 1's allow research only");
    }
    return new UsePolicy(use).objection("base model", license.get());
  }

  /**
   * Refuses a model that a use does not allow.
   *
   * @param model as the user named it
   * @throws JobException where it may not be used so
   */
  public void check(String model, Optional<Use> use) {
    use.flatMap(this::objection)
        .ifPresent(
            reason -> {
              throw JobException.invalid(
                  "Option --use: the model %s may not be used commercially as far as is known: %s"
                      .formatted(model, reason));
            });
  }
}
