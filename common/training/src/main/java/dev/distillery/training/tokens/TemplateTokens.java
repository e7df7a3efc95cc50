package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The marks that a chat template writes, and whether a model has them and was trained on them. */
public final class TemplateTokens {
  private static final Pattern MARK = Pattern.compile("<\\|[^|\\s]+\\|>|</?s>");
  private static final List<Message> SAMPLE =
      List.of(new Message("user", "u"), new Message("assistant", "a"));

  private TemplateTokens() {}

  /**
   * The ids of the template's marks.
   *
   * @throws JobException if the tokenizer does not have one of them, or an answer's end is none
   */
  public static List<Integer> require(ChatTemplate template, Tokenizer tokenizer) {
    String sample = template.render(SAMPLE, false);
    Set<String> marks = new LinkedHashSet<>();
    for (Matcher matcher = MARK.matcher(sample); matcher.find(); ) {
      marks.add(matcher.group());
    }
    if (!template.answerEnd().isEmpty()) {
      marks.add(template.answerEnd());
    }
    List<Integer> ids = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (String mark : marks) {
      OptionalInt id = tokenizer.id(mark);
      if (id.isPresent()) {
        ids.add(id.getAsInt());
      } else {
        missing.add(mark);
      }
    }
    if (!missing.isEmpty()) {
      throw JobException.invalid(
          "Option --template: the template %s needs %s, which the tokenizer does not have; choose one of %s"
              .formatted(
                  template.name(),
                  String.join(", ", missing),
                  String.join(", ", ChatTemplate.names())));
    }
    return ids;
  }

  /**
   * What to say before a model whose embeddings are frozen is trained on texts in a template: a
   * frozen embedding never learns a mark that nobody trained.
   *
   * @param model that training begins from
   * @param trained ids whose rows are trained all the same
   * @return empty where its marks were trained
   * @throws JobException as {@link #require}
   */
  public static Optional<String> warning(
      ModelFiles model, ChatTemplate template, List<Integer> trained) throws IOException {
    Tokenizer tokenizer = Tokenizers.of(model);
    List<Integer> untrained =
        untrained(model, template).stream().filter(id -> !trained.contains(id)).toList();
    return untrained.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Warning: the template %s needs %s, whose embeddings were never trained and are frozen now: the student cannot learn to use them, nor to stop. Train their rows beside LoRA adapters with --train-tokens auto, or all weights with --trainable full, or choose another --template"
                .formatted(template.name(), untrained.stream().map(tokenizer::token).toList()));
  }

  /**
   * Those of the template's marks whose rows of the embedding were never trained: all zero, or
   * equal to that of another of them.
   *
   * @throws JobException as {@link #require}
   */
  static List<Integer> untrained(ModelFiles model, ChatTemplate template) throws IOException {
    List<Integer> ids = require(template, Tokenizers.of(model));
    WeightSource weights = model.weights();
    String name = model.config().architecture().names().embedding() + ".weight";
    return untrained(weights, name, model.config().hiddenSize(), ids);
  }

  private static List<Integer> untrained(
      WeightSource weights, String name, int width, List<Integer> ids) throws IOException {
    List<float[]> rows = new ArrayList<>();
    for (int id : ids) {
      float[] row = new float[width];
      weights.read(name, (long) id * width, FloatBuffer.wrap(row));
      rows.add(row);
    }
    List<Integer> untrained = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      boolean found = Arrays.equals(rows.get(i), new float[width]);
      for (int j = 0; j < rows.size(); j++) {
        found |= i != j && Arrays.equals(rows.get(i), rows.get(j));
      }
      if (found) {
        untrained.add(ids.get(i));
      }
    }
    return untrained;
  }
}
