package dev.distillery.training.tokens;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What {@code --train-tokens} names: tokens whose rows of embedding and head are trained beside
 * adapters.
 */
public final class TrainedTokens {
  /** Stands for what the template needs and nobody trained. */
  public static final String AUTO = "auto";

  private TrainedTokens() {}

  /**
   * The ids, ascending.
   *
   * @param given spellings of the vocabulary, or {@link #AUTO}
   * @param model that training begins from
   * @param template that rows are written in; empty where none is
   * @throws JobException if one is no token of the model's, or there is no template to ask
   */
  public static List<Integer> of(
      List<String> given, ModelFiles model, Optional<ChatTemplate> template) throws IOException {
    Tokenizer tokenizer = Tokenizers.of(model);
    var ids = new TreeSet<>(named(given, tokenizer));
    if (given.contains(AUTO)) {
      ChatTemplate needs =
          template.orElseThrow(
              () ->
                  JobException.invalid(
                      "Option --train-tokens: auto stands for the marks of a chat template, and the"
                          + " rows are written in none: name tokens, or leave the option out"));
      ids.addAll(TemplateTokens.untrained(model, needs));
    }
    return List.copyOf(ids);
  }

  /**
   * Refuses what is no token.
   *
   * @throws JobException naming it, and what it is instead
   */
  public static void check(List<String> given, Tokenizer tokenizer) {
    var unused = named(given, tokenizer);
  }

  private static List<Integer> named(List<String> given, Tokenizer tokenizer) {
    return given.stream()
        .filter(name -> !name.equals(AUTO))
        .map(name -> id(name, tokenizer))
        .toList();
  }

  private static int id(String name, Tokenizer tokenizer) {
    OptionalInt id = tokenizer.id(name);
    if (id.isEmpty()) {
      int[] pieces = tokenizer.encode(name);
      throw JobException.invalid(
          "Option --train-tokens: '%s' is not one token of the model's tokenizer, which writes it as %s (%s): name tokens as its vocabulary spells them, or auto for those that the template needs"
              .formatted(
                  name,
                  pieces.length,
                  Arrays.stream(pieces)
                      .mapToObj(tokenizer::token)
                      .collect(Collectors.joining(" "))));
    }
    return id.getAsInt();
  }
}
