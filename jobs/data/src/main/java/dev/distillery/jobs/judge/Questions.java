package dev.distillery.jobs.judge;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.RequestIds;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherAccessOptions;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.warehouse.StableIds;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the judge is asked about an item: the same requests wherever they are made.
 *
 * @param model the judge's name as its requests have it
 * @param judge that name; behind it, where the judge is files, {@code @} and the head of their hash
 */
record Questions(
    JudgeForm form,
    List<@Nullable String> criteria,
    JudgePrompt prompt,
    String model,
    String judge,
    int maxNewTokens,
    double temperature,
    String extraBody,
    boolean chat,
    long randomSeed)
    implements Serializable {

  /** Which answer stands first. */
  enum First {
    A,
    B
  }

  /**
   * One request.
   *
   * @param criterion what it is judged by; null is the answer as a whole
   */
  record Question(@Nullable String criterion, First first, TeacherRequest request) {}

  static Questions of(JudgeOptions options, JudgePrompt prompt) {
    TeacherOptions teacher = options.teacher();
    return new Questions(
        options.form(),
        options.criteria().isEmpty()
            ? Collections.<@Nullable String>singletonList(null)
            : new ArrayList<@Nullable String>(options.criteria()),
        prompt,
        TeacherAccess.modelName(teacher),
        TeacherAccess.modelName(teacher) + files(teacher),
        teacher.maxNewTokens().orElse(JudgeOptions.MAX_NEW_TOKENS),
        options.temperature(),
        teacher.body(),
        teacher.access().api() == TeacherAccessOptions.Api.CHAT,
        options.run().randomSeed());
  }

  /**
   * What tells a model of files from another of its name. Recordings are found by the ids of
   * requests, which theirs can be no part of.
   */
  private static String files(TeacherOptions teacher) {
    return teacher.teacher() == TeacherKind.REPLAY
        ? ""
        : TeacherAccess.fingerprint(teacher).map(hash -> "@" + hash.substring(0, 12)).orElse("");
  }

  /** All that is asked about an item. */
  List<Question> about(JudgedItem item) {
    return criteria.stream().flatMap(criterion -> about(item, criterion).stream()).toList();
  }

  /** What is asked about an item by one criterion: nothing where the verdict is known. */
  List<Question> about(JudgedItem item, @Nullable String criterion) {
    return switch (form) {
      case PAIRWISE ->
          List.of(question(item, criterion, First.A), question(item, criterion, First.B));
      case SINGLE -> List.of(question(item, criterion, First.A));
      case ALPACA_EVAL ->
          item.answerA().equals(item.answerB())
              ? List.of()
              : List.of(question(item, criterion, drawn(item.prompt())));
    };
  }

  /** The order is the prompt's, as AlpacaEval draws it. */
  private First drawn(String prompt) {
    return StableIds.seed(randomSeed, "order", prompt) % 2 == 0 ? First.A : First.B;
  }

  private Question question(JudgedItem item, @Nullable String criterion, First first) {
    String text =
        item.answerB() == null
            ? prompt.grading(item.prompt(), item.answerA(), criterion)
            : first == First.A
                ? prompt.comparing(item.prompt(), item.answerA(), item.answerB(), criterion)
                : prompt.comparing(item.prompt(), item.answerB(), item.answerA(), criterion);
    String named = Objects.requireNonNullElse(criterion, "");
    var sampling =
        new Sampling(
            maxNewTokens,
            OptionalDouble.of(temperature),
            OptionalDouble.empty(),
            OptionalInt.empty(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            OptionalLong.of(StableIds.seed(randomSeed, item.id(), named, first.name())),
            List.of());
    Optional<String> plain = chat ? Optional.empty() : Optional.of(text);
    List<Message> messages = chat ? List.of(new Message("user", text)) : List.of();
    String place =
        String.join("/", item.id(), form.toString(), named, first.toString())
            + judge.substring(model.length());
    return new Question(
        criterion,
        first,
        new TeacherRequest(
            RequestIds.of(model, sampling, extraBody, plain, messages, place),
            Optional.of(item.id()),
            model,
            plain,
            messages,
            sampling,
            extraBody));
  }
}
