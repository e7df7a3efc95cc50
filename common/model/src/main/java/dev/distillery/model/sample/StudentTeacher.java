package dev.distillery.model.sample;

import dev.distillery.core.run.ModelHash;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherFactory;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.TokenLogprob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The student as a teacher: a Hugging Face directory or a GGUF file, run inside this JVM.
 *
 * <p>Requests that are there at the same time are decoded together: one joins as soon as there is
 * room, and leaves when it is done. <b>The same request gives the same reply</b>, greedy or drawn,
 * whatever is decoded beside it: a draw depends on the request's seed, its id and the position. The
 * promise holds for one kind of processor and set of kernels.
 *
 * <p>Prompts are continued as they are; dialogues are put into a chat template. What the sampling
 * leaves empty is neutral: temperature 1, no top-p, no top-k, no penalty.
 */
public final class StudentTeacher implements Teacher {
  private final Path model;
  private final StudentEngine engine;
  private final ExecutorService callbacks;

  /**
   * Opens the model's files; its weights are read with the first request.
   *
   * @throws IllegalArgumentException where the model cannot be used, or there is no such chat
   *     template
   */
  StudentTeacher(TeacherSettings settings) {
    this.model = Path.of(settings.model());
    Student student;
    try {
      student = Student.open(model, settings.threads());
    } catch (IOException e) {
      throw new IllegalArgumentException(
          e.getMessage()
              + "; --model of --teacher student is a Hugging Face directory or a GGUF file",
          e);
    }
    this.engine =
        new StudentEngine(
            student,
            new EngineSettings(
                settings.contextLength(),
                settings.concurrency(),
                settings.chatTemplate(),
                settings.templateInputs(),
                settings.requestTimeout(),
                StudentEngine.MEMORY_SHARE,
                Integer.MAX_VALUE,
                false));
    this.callbacks =
        Executors.newCachedThreadPool(
            task -> {
              var thread = new Thread(task, "teacher-student-reply");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public int maxConcurrency() {
    return engine.rows();
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    var sent = new Sent(request);
    engine.submit(sent);
    return sent.reply;
  }

  /** A request on its way. */
  private final class Sent implements DecodingWork {
    private final CompletableFuture<TeacherReply> reply = new CompletableFuture<>();
    private final TeacherRequest request;
    private int promptTokens;

    Sent(TeacherRequest request) {
      this.request = request;
    }

    @Override
    public StudentPrompts.Prepared prepare() throws TeacherException {
      StudentPrompts.Prepared prepared = engine.prompts().prepare(request);
      promptTokens = prepared.prompt().tokens().length;
      return prepared;
    }

    @Override
    public void done(Generator.Reply answer) {
      TeacherReply told =
          new TeacherReply(
                  answer.text(),
                  answer.finish().name().toLowerCase(Locale.ROOT),
                  promptTokens,
                  0,
                  answer.written(),
                  0)
              .with(answer.tops().stream().map(StudentTeacher.this::told).toList());
      callbacks.execute(() -> reply.complete(told));
    }

    @Override
    public void failed(TeacherException failure) {
      callbacks.execute(() -> reply.completeExceptionally(failure));
    }
  }

  private TokenLogprob told(WrittenToken token) {
    List<TokenLogprob.Top> top = new ArrayList<>();
    for (int k = 0; k < token.topIds().length; k++) {
      int id = token.topIds()[k];
      top.add(new TokenLogprob.Top(text(id), OptionalInt.of(id), token.topLogProbs()[k]));
    }
    return new TokenLogprob(text(token.id()), OptionalInt.of(token.id()), token.logProb(), top);
  }

  private String text(int id) {
    return engine.tokenizer().decode(new int[] {id}, false);
  }

  /** Names the model, its content by hash, and how it is asked. */
  @Override
  public String preflight() throws TeacherException {
    try {
      return "student %s, %s, %s parameters, SHA-256 %s, context %s, %s"
          .formatted(
              model.getFileName(),
              engine.config().architecture().modelType(),
              engine.config().parameterCount(),
              ModelHash.of(model),
              engine.context(),
              engine.prompts().describe());
    } catch (IOException e) {
      throw new TeacherException(
          Category.UNKNOWN_MODEL,
          0,
          Optional.empty(),
          "--model '%s' cannot be read: %s".formatted(model, e.getMessage()));
    }
  }

  @Override
  public void check(String extraBody) throws TeacherException {
    engine.prompts().check(extraBody);
  }

  @Override
  public void close() {
    engine.close();
  }

  /** Makes teachers of kind {@code student}. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "student";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new StudentTeacher(settings);
    }
  }
}
