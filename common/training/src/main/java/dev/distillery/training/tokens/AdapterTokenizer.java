package dev.distillery.training.tokens;

import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The tokenizer's files that trainers put beside an adapter. Its base's are what is read, so that
 * the adapter's may say nothing else.
 */
public final class AdapterTokenizer {
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
      Optional<ModelTemplates> own = ModelTemplates.ofDirectory(model);
      if (template.isEmpty() && own.isPresent() && !same(own.get(), ModelTemplates.read(files))) {
        throw refused(model, "another chat template than its base, whose is used");
      }
    }
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
          "%d tokens and its base %d, whose are used".formatted(own.vocabSize(), base.vocabSize()));
    }
    for (int id = 0; id < own.vocabSize(); id++) {
      String one = own.has(id) ? own.token(id) : "";
      String other = base.has(id) ? base.token(id) : "";
      if (!one.equals(other)) {
        throw refused(
            model, "'%s' as token %d and its base '%s', whose are used".formatted(one, id, other));
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
