package dev.distillery.training.tokens;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The tokenizer's files that trainers put beside an adapter. Where its base's are what is read, the
 * adapter's may say nothing else; where the two become one model, they may add.
 */
public final class AdapterTokenizer {
  private static final int SHOWN = 5;

  private AdapterTokenizer() {}

  /**
   * Refuses an adapter whose own files have other tokens than its base, or another chat template.
   *
   * @param model an adapter, or a model, which passes
   * @param template name of the preset that dialogues are written in; empty for the base's own
   * @throws ModelFileException naming the first difference
   */
  public static void check(Path model, Path base, String template) throws IOException {
    if (!AdapterFiles.isAdapter(model)) {
      return;
    }
    try (ModelFiles files = ModelFiles.open(base)) {
      if (Tokenizers.isIn(model)) {
        tokens(model, Tokenizers.open(model), Tokenizers.of(files));
      }
      if (template.isEmpty() && otherTemplate(model, files).isPresent()) {
        throw refused(model, "another chat template than its base, whose is used");
      }
    }
  }

  /**
   * The tokens that an adapter's own tokenizer has and its base's has not.
   *
   * @param base of a model that brings none: empty
   * @param rows of the embedding, which is to have one for each
   * @throws ModelFileException where it spells one of the base's otherwise, or a token has no row
   */
  public static List<String> added(Path adapter, Tokenizer own, Optional<Tokenizer> base, int rows)
      throws ModelFileException {
    List<String> added = new ArrayList<>();
    int known = base.map(Tokenizer::vocabSize).orElse(0);
    for (int id = 0; id < Math.max(own.vocabSize(), known); id++) {
      String one = token(own, id);
      String other = id < known ? token(base.get(), id) : "";
      if (other.isEmpty() && !one.isEmpty()) {
        added.add(one);
      } else if (!one.equals(other)) {
        throw new ModelFileException(
            adapter,
            "its own tokenizer has '%s' as token %s and its base's '%s': name the one that is right by --tokenizer"
                .formatted(one, id, other));
      }
    }
    if (!added.isEmpty() && own.vocabSize() > rows) {
      throw new ModelFileException(
          adapter,
          "its own tokenizer adds %s, and has %s tokens where the embedding has %s rows: give --model with the rows that it was trained with, or name another by --tokenizer"
              .formatted(shown(added), own.vocabSize(), rows));
    }
    return added;
  }

  /** Tokens for a message. */
  public static String shown(List<String> tokens) {
    return String.join(", ", tokens.subList(0, Math.min(SHOWN, tokens.size())))
        + (tokens.size() > SHOWN ? ", …" : "");
  }

  private static String token(Tokenizer tokenizer, int id) {
    return id < tokenizer.vocabSize() && tokenizer.has(id) ? tokenizer.token(id) : "";
  }

  /** The chat template that an adapter's folder has, where its base has another or none. */
  public static Optional<ModelTemplates> otherTemplate(Path adapter, ModelFiles base)
      throws IOException {
    Optional<ModelTemplates> own = ModelTemplates.ofDirectory(adapter);
    return own.isPresent() && same(own.get(), ModelTemplates.read(base)) ? Optional.empty() : own;
  }

  private static boolean same(ModelTemplates own, Optional<ModelTemplates> base) {
    return base.filter(
            other -> other.jinja().equals(own.jinja()) && other.others().equals(own.others()))
        .isPresent();
  }

  private static void tokens(Path model, Tokenizer own, Tokenizer base) throws ModelFileException {
    if (own.vocabSize() != base.vocabSize()) {
      throw refused(
          model,
          "%s tokens and its base %s, whose are used".formatted(own.vocabSize(), base.vocabSize()));
    }
    for (int id = 0; id < own.vocabSize(); id++) {
      String one = token(own, id);
      String other = token(base, id);
      if (!one.equals(other)) {
        throw refused(
            model, "'%s' as token %s and its base '%s', whose are used".formatted(one, id, other));
      }
    }
  }

  private static ModelFileException refused(Path model, String found) {
    return new ModelFileException(
        model,
        "its own files have %s: take them away, or merge the two by the job export and put them there"
            .formatted(found));
  }
}
